using System.Text.Json.Nodes;

namespace DeepSeekR1.Models;

/// <summary>
/// Rotary settings of <c>config.json</c>: <c>rope_parameters</c> as transformers 5 writes them, or <c>rope_theta</c> and
/// <c>rope_scaling</c> as in published checkpoints.
/// </summary>
internal static class RopeJson
{
    private const double DefaultTheta = 10_000;

    private static readonly (string Name, RopeScalingKind Kind)[] _kinds =
        [("linear", RopeScalingKind.Linear), ("llama3", RopeScalingKind.Llama3), ("yarn", RopeScalingKind.Yarn)];

    public static double ReadTheta(JsonFields fields) =>
        fields.OptionalObject("rope_parameters")?.OptionalNumber("rope_theta") ?? fields.Number("rope_theta", DefaultTheta);

    public static RopeScaling? ReadScaling(JsonFields fields)
    {
        CheckWhole(fields);
        if ((fields.OptionalObject("rope_parameters") ?? fields.OptionalObject("rope_scaling")) is not { } settings) return null;
        CheckWhole(settings);
        string field = settings.Has("rope_type") ? "rope_type" : "type";
        string type = settings.OptionalText(field) ?? "default";
        if (type == "default") return null;
        int known = Array.FindIndex(_kinds, kind => kind.Name == type);
        if (known < 0) throw fields.Error($"{settings.Full(field)} {type} is not supported; supported are default, {string.Join(", ", _kinds.Select(kind => kind.Name))}");

        var scaling = new RopeScaling { Kind = _kinds[known].Kind, Factor = settings.Number("factor") };
        return scaling.Kind switch
        {
            RopeScalingKind.Llama3 => scaling with
            {
                OriginalMaxPositions = settings.Integer("original_max_position_embeddings"),
                LowFrequencyFactor = settings.Number("low_freq_factor"),
                HighFrequencyFactor = settings.Number("high_freq_factor"),
            },
            RopeScalingKind.Yarn => scaling with
            {
                OriginalMaxPositions = settings.OptionalInteger("original_max_position_embeddings") ?? fields.Integer("max_position_embeddings"),
                BetaFast = settings.Number("beta_fast", scaling.BetaFast),
                BetaSlow = settings.Number("beta_slow", scaling.BetaSlow),
                Truncate = settings.Flag("truncate", whenAbsent: true),
                AttentionFactor = settings.OptionalNumber("attention_factor"),
                Mscale = settings.Number("mscale", 0),
                MscaleAllDim = settings.Number("mscale_all_dim", 0),
            },
            _ => scaling,
        };
    }

    private static void CheckWhole(JsonFields fields)
    {
        const string name = "partial_rotary_factor";
        if (fields.Number(name, 1) is not 1 and var share) throw fields.Error($"{fields.Full(name)} {share} is not supported; supported is 1");
    }

    /// <summary>Writes the settings in the layout that is there; published checkpoints' where there is none.</summary>
    public static void Write(JsonObject json, ModelConfig config)
    {
        bool modern = json.ContainsKey("rope_parameters");
        if (!modern) json["rope_theta"] = config.RopeTheta;
        if (!modern && config.RopeScaling is null)
        {
            if (json.ContainsKey("rope_scaling")) json["rope_scaling"] = null;
            return;
        }
        string name = modern ? "rope_parameters" : "rope_scaling";
        var settings = json[name]?.DeepClone() as JsonObject ?? [];
        if (modern) settings["rope_theta"] = config.RopeTheta;
        // DeepSeek's files say "type"; both are read everywhere.
        if (modern || !settings.ContainsKey("type")) settings["rope_type"] = TypeOf(config.RopeScaling);
        if (settings.ContainsKey("type")) settings["type"] = TypeOf(config.RopeScaling);
        if (config.RopeScaling is { } scaling) WriteScaling(settings, scaling);
        json[name] = settings;
    }

    private static string TypeOf(RopeScaling? scaling) => scaling is null ? "default" : Array.Find(_kinds, kind => kind.Kind == scaling.Kind).Name;

    private static void WriteScaling(JsonObject settings, RopeScaling scaling)
    {
        settings["factor"] = scaling.Factor;
        if (scaling.Kind == RopeScalingKind.Linear) return;
        settings["original_max_position_embeddings"] = scaling.OriginalMaxPositions;
        if (scaling.Kind == RopeScalingKind.Llama3)
        {
            settings["low_freq_factor"] = scaling.LowFrequencyFactor;
            settings["high_freq_factor"] = scaling.HighFrequencyFactor;
            return;
        }
        var usual = new RopeScaling { Kind = RopeScalingKind.Yarn, Factor = scaling.Factor };
        SetUnlessUsual(settings, "beta_fast", scaling.BetaFast, usual.BetaFast);
        SetUnlessUsual(settings, "beta_slow", scaling.BetaSlow, usual.BetaSlow);
        SetUnlessUsual(settings, "mscale", scaling.Mscale, usual.Mscale);
        SetUnlessUsual(settings, "mscale_all_dim", scaling.MscaleAllDim, usual.MscaleAllDim);
        if (scaling.AttentionFactor is { } factor) settings["attention_factor"] = factor;
        if (!scaling.Truncate) settings["truncate"] = false;
    }

    private static void SetUnlessUsual(JsonObject settings, string name, double value, double usual)
    {
        if (settings.ContainsKey(name) || value != usual) settings[name] = value;
    }
}
