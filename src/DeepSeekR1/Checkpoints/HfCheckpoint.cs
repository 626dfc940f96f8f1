using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Checkpoints;

/// <summary>Models in the folder layout of Hugging Face: <c>config.json</c>, <c>model.safetensors</c> or shards with an index.</summary>
public static class HfCheckpoint
{
    internal const string ConfigFile = "config.json";

    /// <summary>Reads the configuration alone.</summary>
    /// <exception cref="R1Exception">No such folder, or no usable configuration in it.</exception>
    public static ModelConfig LoadConfig(string folder)
    {
        if (!Directory.Exists(folder)) throw new R1Exception($"{folder}: no such model folder. Give the path of a folder that holds {ConfigFile} and model.safetensors.");
        string path = Path.Combine(folder, ConfigFile);
        if (!File.Exists(path) && PeftAdapter.IsAdapter(folder))
            throw new R1Exception($"{folder}: {ConfigFile} not found; the folder holds an adapter, not a model. Merge it into its base first: r1 export --model BASE --format safetensors --merge-adapter {folder} --output MODEL.");
        if (!File.Exists(path)) throw new R1Exception($"{folder}: {ConfigFile} not found in the folder; a model folder holds {ConfigFile} and model.safetensors.");
        return ModelConfig.Parse(JsonFields.ReadText(path), path);
    }

    /// <summary>Loads a language model for training: every parameter requires its gradient.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="runtime">Where it goes.</param>
    /// <param name="dtype">What it computes with; null takes the runtime's choice for its size.</param>
    /// <exception cref="R1Exception">The folder, its configuration or its weights are missing, damaged, or do not fit together.</exception>
    public static CausalLM LoadModel(string folder, TorchRuntime runtime, ScalarType? dtype = null)
    {
        var config = LoadConfig(folder);
        if (config.IsClassifier) throw new R1Exception($"{folder}: {config.Architecture} is a classifier; a language model (…ForCausalLM) is needed here.");
        using var weights = WeightFiles.Open(folder);
        return new CausalLM(config, LoadParameters(weights, config, runtime, dtype)) { Notes = weights.Notes(config) };
    }

    /// <summary>Loads a reward model: <c>*ForSequenceClassification</c> with one label.</summary>
    /// <inheritdoc cref="LoadModel"/>
    public static SequenceClassifier LoadClassifier(string folder, TorchRuntime runtime, ScalarType? dtype = null)
    {
        var config = LoadConfig(folder);
        if (!config.IsClassifier) throw new R1Exception($"{folder}: {config.Architecture} is no classifier; …ForSequenceClassification with one label is needed here.");
        using var weights = WeightFiles.Open(folder);
        return new SequenceClassifier(config, LoadParameters(weights, config, runtime, dtype)) { Notes = weights.Notes(config) };
    }

    /// <summary>Loads whichever of the two the folder holds.</summary>
    internal static DecoderModel LoadDecoder(string folder, TorchRuntime runtime, ScalarType? dtype) =>
        LoadConfig(folder).IsClassifier ? LoadClassifier(folder, runtime, dtype) : LoadModel(folder, runtime, dtype);

    /// <summary>
    /// Saves a model so that transformers, vLLM and llama.cpp open it. Weights are written aside first; <c>config.json</c>, without
    /// which no folder loads, goes last, so that a killed save never leaves a folder that loads as something else.
    /// </summary>
    /// <param name="model">What to save.</param>
    /// <param name="folder">Where; made if it is absent. Weights already there are replaced, other files stay.</param>
    /// <param name="maxShardBytes">Most bytes of tensors in one file; a tensor is never split.</param>
    /// <param name="saveBeside">Writes into the folder what belongs to the model, such as its tokenizer; called while the folder loads as nothing.</param>
    /// <exception cref="R1Exception">The folder cannot be written.</exception>
    public static void SaveModel(DecoderModel model, string folder, long maxShardBytes = 5_000_000_000, Action<string>? saveBeside = null) =>
        WeightFiles.Save(model, folder, maxShardBytes, saveBeside);

    private static Dictionary<string, Parameter> LoadParameters(WeightFiles weights, ModelConfig config, TorchRuntime runtime, ScalarType? dtype)
    {
        var layout = weights.Check(config);
        var type = dtype ?? runtime.DtypeFor(config.HiddenSize);
        var parameters = new Dictionary<string, Parameter>(StringComparer.Ordinal);
        try
        {
            using var noGrad = no_grad();
            foreach (var spec in layout)
                parameters[spec.Name] = ParameterFactory.Own(weights.Read(spec.Name, spec.IsTrainable ? type : ScalarType.Float32, runtime.Device), spec.IsTrainable);
            return parameters;
        }
        catch
        {
            foreach (var parameter in parameters.Values) parameter.Dispose();
            throw;
        }
    }
}
