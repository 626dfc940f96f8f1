using System.Text.Json;
using System.Text.Json.Nodes;
using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Checkpoints;

/// <summary>Adapters in PEFT's folder layout: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
public static class PeftAdapter
{
    private const string ConfigFile = "adapter_config.json";
    private const string WeightsFile = "adapter_model.safetensors";
    private const string PickleFile = "adapter_model.bin";

    private const double LargestAlpha = 1e6;

    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true };

    /// <summary>Fields that change what an adapter computes and are not supported unless they say nothing.</summary>
    private static readonly string[] _unsupported =
    [
        "alpha_pattern", "rank_pattern", "modules_to_save", "layers_to_transform", "exclude_modules", "layer_replication", "use_dora", "lora_bias", "fan_in_fan_out", "use_qalora",
        "use_bdlora", "target_parameters", "trainable_token_indices", "alora_invocation_tokens", "arrow_config", "kasa_config", "monteclora_config", "velora_config",
    ];

    /// <summary>Initialisations that leave the base model as it is; others, such as pissa, subtract from it what they begin with.</summary>
    private static readonly string[] _plainInitializations = ["gaussian", "orthogonal", "eva"];

    /// <summary>True for a folder that holds an adapter.</summary>
    public static bool IsAdapter(string folder) => File.Exists(Path.Combine(folder, ConfigFile));

    /// <summary>The folder of the model that an adapter was trained on: as its configuration says, seen from its own folder or from here.</summary>
    /// <exception cref="R1Exception">No such folder.</exception>
    public static string BaseOf(string folder)
    {
        string named = LoadConfig(folder).BaseModel, beside = Path.GetFullPath(named, Path.GetFullPath(folder));
        return Directory.Exists(beside) ? beside
            : Directory.Exists(named) ? named
            : throw new R1Exception($"{Path.Combine(folder, ConfigFile)}: base_model_name_or_path is \"{named}\", and there is no such folder. Write there where the base model stands.");
    }

    /// <summary>Loads an adapter onto its model, ready to train on or to merge.</summary>
    /// <exception cref="R1Exception">The folder is missing or damaged, uses what is not supported, or does not fit the model.</exception>
    public static LoraAdapter Load(DecoderModel model, string folder) => Load(model, folder, model.Dtype);

    /// <summary>Loads an adapter whose numbers may be more exact than the model's, for merging.</summary>
    internal static LoraAdapter Load(DecoderModel model, string folder, ScalarType dtype)
    {
        var (config, _) = LoadConfig(folder);
        using var file = OpenWeights(folder);
        var left = file.Tensors.Keys.ToHashSet(StringComparer.Ordinal);
        var adapter = LoraAdapter.Attach(model, config, (name, shape) =>
        {
            left.Remove(name);
            if (!file.Tensors.TryGetValue(name, out var entry)) throw new R1Exception($"{file.Path}: lacks tensor {name} that {ConfigFile} asks for.");
            if (!entry.Shape.SequenceEqual(shape))
                throw new R1Exception($"{file.Path}: tensor {name} has shape [{string.Join(", ", entry.Shape)}], the model and r {config.Rank} ask for [{string.Join(", ", shape)}].");
            return file.Read(name, dtype, model.Device, requireFinite: true);
        });
        if (left.Count == 0) return adapter;
        adapter.Dispose();
        throw new R1Exception($"{file.Path}: tensor {left.Order(StringComparer.Ordinal).First()} belongs to no target module of {ConfigFile}.");
    }

    /// <summary>Saves an adapter so that PEFT opens it.</summary>
    /// <param name="adapter">What to save.</param>
    /// <param name="folder">Where; made if it is absent.</param>
    /// <param name="baseModel">Where the base model stands, as PEFT should look for it.</param>
    /// <param name="saveBeside">Writes into the folder what belongs to the adapter; called while the folder loads as nothing.</param>
    /// <exception cref="R1Exception">The folder cannot be written.</exception>
    public static void Save(LoraAdapter adapter, string folder, string baseModel, Action<string>? saveBeside = null)
    {
        try
        {
            Directory.CreateDirectory(folder);
            // Without its configuration the folder is no adapter: it goes first and comes back last.
            File.Delete(Path.Combine(folder, ConfigFile));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new R1Exception($"{folder}: the adapter cannot be saved: {error.Message}", error);
        }
        SafeTensors.Save(Path.Combine(folder, WeightsFile), adapter.Parameters.ToDictionary(parameter => parameter.Key, parameter => (Tensor)parameter.Value));
        saveBeside?.Invoke(folder);
        AtomicFile.WriteText(Path.Combine(folder, ConfigFile), ConfigJson(adapter, baseModel));
    }

    /// <exception cref="R1Exception">No weights, or not valid ones.</exception>
    internal static SafeTensorsFile OpenWeights(string folder)
    {
        if (!File.Exists(Path.Combine(folder, WeightsFile)) && File.Exists(Path.Combine(folder, PickleFile)))
            throw new R1Exception($"{Path.Combine(folder, PickleFile)} is a pickle, which can run code when opened, and is not read; convert it to safetensors: in Python, " +
                "PeftModel.from_pretrained(base, folder).save_pretrained(folder, safe_serialization=True).");
        return SafeTensors.Open(Path.Combine(folder, WeightsFile));
    }

    /// <summary>The settings, and where the base model stands (empty where the file does not say).</summary>
    /// <exception cref="R1Exception">The file is missing or damaged, or uses what is not supported.</exception>
    internal static (LoraConfig Config, string BaseModel) LoadConfig(string folder)
    {
        string path = Path.Combine(folder, ConfigFile);
        if (!File.Exists(path)) throw new R1Exception($"{folder}: {ConfigFile} not found; an adapter folder holds it and {WeightsFile}.");
        var fields = JsonFields.ParseFile(path);
        if (fields.OptionalText("peft_type") is not "LORA") throw fields.Error($"peft_type must be LORA, found {fields.Json["peft_type"]?.ToJsonString() ?? "nothing"}");
        if (fields.OptionalText("bias") is not (null or "none")) throw fields.Error("bias must be none; adapters with trained biases are not supported");
        foreach (string name in _unsupported)
            if (SaysSomething(fields.Json[name])) throw fields.Error($"{name} is not supported, found {fields.Json[name]!.ToJsonString()}");
        if (fields.Json["init_lora_weights"] is JsonValue start && start.TryGetValue(out string? initialization) && !_plainInitializations.Contains(initialization))
            throw fields.Error($"init_lora_weights {initialization} changes the base model, which is not supported; convert the adapter (in PEFT: save_pretrained with path_initial_model_for_weight_conversion)");
        double alpha = fields.Number("lora_alpha");
        if (!(Math.Abs(alpha) <= LargestAlpha)) throw fields.Error($"lora_alpha must lie between -{LargestAlpha} and {LargestAlpha}, found {alpha}");
        var config = new LoraConfig
        {
            Rank = fields.Integer("r"),
            Alpha = alpha,
            RankStabilized = fields.Flag("use_rslora"),
            TargetModules = ReadTargets(fields),
        };
        return (config, fields.OptionalText("base_model_name_or_path") ?? "");
    }

    private static string[] ReadTargets(JsonFields fields) => fields.Json["target_modules"] switch
    {
        JsonArray { Count: > 0 } names => [.. names.Select(name => name is JsonValue value && value.TryGetValue(out string? text) ? text : throw fields.Wrong("target_modules", "an array of strings", names))],
        JsonValue value when value.TryGetValue(out string? text) && text == LoraConfig.AllLinear => [text],
        var other => throw fields.Error($"target_modules must be a list of names or {LoraConfig.AllLinear}, found {other?.ToJsonString() ?? "nothing"}"),
    };

    private static bool SaysSomething(JsonNode? node) => node switch
    {
        null => false,
        JsonObject map => map.Count > 0,
        JsonArray list => list.Count > 0,
        JsonValue value when value.TryGetValue(out bool flag) => flag,
        _ => true,
    };

    private static string ConfigJson(LoraAdapter adapter, string baseModel) => new JsonObject
    {
        ["base_model_name_or_path"] = baseModel,
        ["bias"] = "none",
        ["fan_in_fan_out"] = false,
        ["inference_mode"] = true,
        ["init_lora_weights"] = true,
        ["lora_alpha"] = adapter.Config.Alpha,
        ["lora_dropout"] = 0.0,
        ["modules_to_save"] = null,
        ["peft_type"] = "LORA",
        ["r"] = adapter.Config.Rank,
        // By name as PEFT does: what all-linear stands for is another thing in every library.
        ["target_modules"] = new JsonArray([.. adapter.TargetModules.Select(name => (JsonNode)name)]),
        ["task_type"] = "CAUSAL_LM",
        ["use_dora"] = false,
        ["use_rslora"] = adapter.Config.RankStabilized,
    }.ToJsonString(_indented) + "\n";
}
