using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeepSeekR1.Models;

/// <summary>Between <c>config.json</c> and <see cref="ModelConfig"/>.</summary>
internal static class ModelConfigJson
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static ModelConfig Parse(string json, string file)
    {
        var fields = JsonFields.Parse(json, file);
        var (family, architecture) = ReadArchitecture(fields);
        if (fields.OptionalText("hidden_act") is { } activation && activation is not ("silu" or "swish"))
            throw fields.Error($"hidden_act {activation} is not supported; supported is silu");

        bool attentionBias = fields.Flag("attention_bias");
        var (theta, scaling) = ReadRope(fields);
        var config = new ModelConfig
        {
            Architecture = architecture,
            VocabularySize = Positive(fields, "vocab_size"),
            HiddenSize = Positive(fields, "hidden_size"),
            IntermediateSize = Positive(fields, "intermediate_size"),
            Layers = Positive(fields, "num_hidden_layers"),
            Heads = Positive(fields, "num_attention_heads"),
            KeyValueHeads = fields.Has("num_key_value_heads") ? Positive(fields, "num_key_value_heads") : 0,
            HeadDim = fields.Has("head_dim") ? Positive(fields, "head_dim") : 0,
            RmsNormEpsilon = fields.Number("rms_norm_eps", 1e-6),
            RopeTheta = theta,
            RopeScaling = scaling,
            MaxPositions = fields.Integer("max_position_embeddings", 2048),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings"),
            QueryKeyValueBias = attentionBias || family == ModelFamily.Qwen2,
            AttentionOutputBias = attentionBias && family != ModelFamily.Qwen2,
            MlpBias = fields.Flag("mlp_bias"),
            Source = fields.Json,
        };
        return config.Validated(file);
    }

    public static string Write(ModelConfig config, string dtype)
    {
        var family = ModelFamily.OfArchitecture(config.Architecture) ?? throw new R1Exception(UnknownArchitecture(config.Architecture));
        var json = config.Source?.DeepClone() as JsonObject ?? [];
        json["architectures"] = new JsonArray(config.Architecture);
        json["model_type"] = family.ModelType;
        json["vocab_size"] = config.VocabularySize;
        json["hidden_size"] = config.HiddenSize;
        json["intermediate_size"] = config.IntermediateSize;
        json["num_hidden_layers"] = config.Layers;
        json["num_attention_heads"] = config.Heads;
        json["num_key_value_heads"] = config.KeyValueHeads;
        if (json.ContainsKey("head_dim") || config.HeadDim * config.Heads != config.HiddenSize) json["head_dim"] = config.HeadDim;
        json["hidden_act"] = "silu";
        json["rms_norm_eps"] = config.RmsNormEpsilon;
        json["max_position_embeddings"] = config.MaxPositions;
        json["tie_word_embeddings"] = config.TieWordEmbeddings;
        if (family == ModelFamily.Llama)
        {
            json["attention_bias"] = config.QueryKeyValueBias;
            json["mlp_bias"] = config.MlpBias;
        }
        WriteRope(json, config);
        json[json.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = dtype;
        return json.ToJsonString(Indented) + "\n";
    }

    private static (ModelFamily Family, string Architecture) ReadArchitecture(JsonFields fields)
    {
        if (fields.OptionalArray("architectures") is { Count: > 0 } listed)
        {
            string name = listed[0] is JsonValue value && value.TryGetValue(out string? text) ? text : throw fields.Wrong("architectures", "an array of strings", listed);
            return (ModelFamily.OfArchitecture(name) ?? throw fields.Error(UnknownArchitecture(name)), name);
        }
        if (fields.OptionalText("model_type") is { } modelType)
        {
            var family = ModelFamily.OfModelType(modelType) ?? throw fields.Error($"model_type {modelType} is not supported; supported are {ModelFamily.Known}");
            return (family, family.CausalLM);
        }
        throw fields.Error("neither architectures nor model_type is given");
    }

    private static string UnknownArchitecture(string name) => $"architecture {name} is not supported; supported are {ModelFamily.Known}";

    private static (double Theta, RopeScaling? Scaling) ReadRope(JsonFields fields)
    {
        const double defaultTheta = 10_000;
        var modern = fields.OptionalObject("rope_parameters");
        var settings = modern ?? fields.OptionalObject("rope_scaling");
        double theta = modern?.OptionalNumber("rope_theta") ?? fields.Number("rope_theta", defaultTheta);
        return (theta, settings is null ? null : ReadRopeScaling(settings, fields));
    }

    private static RopeScaling? ReadRopeScaling(JsonFields settings, JsonFields fields)
    {
        string type = settings.OptionalText("rope_type") ?? settings.OptionalText("type") ?? "default";
        return type switch
        {
            "default" => null,
            "linear" => new RopeScaling { Kind = RopeScalingKind.Linear, Factor = settings.Number("factor") },
            "llama3" => new RopeScaling
            {
                Kind = RopeScalingKind.Llama3,
                Factor = settings.Number("factor"),
                OriginalMaxPositions = settings.Integer("original_max_position_embeddings"),
                LowFrequencyFactor = settings.Number("low_freq_factor"),
                HighFrequencyFactor = settings.Number("high_freq_factor"),
            },
            _ => throw fields.Error($"rope type {type} is not supported; supported are default, linear, llama3"),
        };
    }

    private static void WriteRope(JsonObject json, ModelConfig config)
    {
        bool modern = json.ContainsKey("rope_parameters");
        if (!modern) json["rope_theta"] = config.RopeTheta;
        if (!modern && config.RopeScaling is null)
        {
            if (json.ContainsKey("rope_scaling")) json["rope_scaling"] = null;
            return;
        }
        // Merged into what was read, so that a scaling's unknown fields survive.
        string name = modern ? "rope_parameters" : "rope_scaling";
        var settings = json[name] as JsonObject ?? [];
        if (modern) settings["rope_theta"] = config.RopeTheta;
        settings["rope_type"] = config.RopeScaling?.Kind switch
        {
            null => "default",
            RopeScalingKind.Linear => "linear",
            RopeScalingKind.Llama3 => "llama3",
            var kind => throw new ArgumentOutOfRangeException(nameof(config), kind, "unknown rotary scaling"),
        };
        if (config.RopeScaling is { } scaling) settings["factor"] = scaling.Factor;
        if (config.RopeScaling is { Kind: RopeScalingKind.Llama3 } llama3)
        {
            settings["original_max_position_embeddings"] = llama3.OriginalMaxPositions;
            settings["low_freq_factor"] = llama3.LowFrequencyFactor;
            settings["high_freq_factor"] = llama3.HighFrequencyFactor;
        }
        if (json[name] is null) json[name] = settings;
    }

    private static int Positive(JsonFields fields, string name)
    {
        int value = fields.Integer(name);
        return value > 0 ? value : throw fields.Error($"{name} must be positive, found {value}");
    }
}
