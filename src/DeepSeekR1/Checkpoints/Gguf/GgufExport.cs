using DeepSeekR1.Models;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Checkpoints.Gguf;

/// <summary>Writes models for llama.cpp and what is built on it.</summary>
public static class GgufExport
{
    private const string Extension = ".gguf";

    /// <summary>
    /// Writes a folder's model, tokenizer and chat template as one GGUF file: aside, flushed to the disk, renamed. Weights stream
    /// through, a row at a time.
    /// </summary>
    /// <param name="folder">A Hugging Face folder of Llama, Mistral, Qwen2 or Qwen3.</param>
    /// <param name="path">The file; its folder exists.</param>
    /// <param name="type">What its matrices become.</param>
    /// <returns>What a user should know of the file; mostly empty.</returns>
    /// <exception cref="R1Exception">Another architecture, or a folder that is damaged or holds what llama.cpp does not compute; or the file cannot be written.</exception>
    public static IReadOnlyList<string> Write(string folder, string path, GgufType type)
    {
        var config = HfCheckpoint.LoadConfig(folder);
        string architecture = ArchitectureOf(config, folder);
        if (File.Exists(path) && Path.GetExtension(path) != Extension && HfExport.IsSame(folder, Path.GetDirectoryName(Path.GetFullPath(path))!))
            throw new R1Exception($"{path} is a file of the model that is read; choose another one for what is written.");
        using var weights = WeightFiles.Open(folder);
        weights.Check(config);
        using var metadata = new GgufMetadata();
        AddShape(metadata, config, architecture, Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))));
        if (config.RopeScaling is { } scaling) AddRopeScaling(metadata, scaling, architecture + ".rope.scaling.");
        metadata.Add("general.file_type", GgufEncoding.FileCode(type));
        GgufTokenizer.AddTo(metadata, folder, config.VocabularySize);
        var tensors = GgufTensors.Of(weights, config, type, permutesRotaryPairs: architecture == ModelFamily.Llama.ModelType);
        AtomicFile.Write(path, stream => GgufWriter.Write(stream, metadata, tensors));
        return Notes(config, tensors, type);
    }

    /// <summary>llama.cpp reads Mistral as llama.</summary>
    private static string ArchitectureOf(ModelConfig config, string folder)
    {
        var family = config.IsClassifier ? null : ModelFamily.OfArchitecture(config.Architecture);
        if (family == ModelFamily.Llama || family == ModelFamily.Mistral) return ModelFamily.Llama.ModelType;
        if (family != ModelFamily.Qwen2 && family != ModelFamily.Qwen3)
            throw new R1Exception($"{folder}: {config.Architecture} cannot be written as GGUF; that is possible for {ModelFamily.Llama.CausalLM}, {ModelFamily.Mistral.CausalLM}, {ModelFamily.Qwen2.CausalLM} and {ModelFamily.Qwen3.CausalLM}.");
        if (family == ModelFamily.Qwen3 && config.QueryKeyValueBias)
            throw new R1Exception($"{folder}: attention_bias is true, and llama.cpp's qwen3 has no biases.");
        return family.ModelType;
    }

    private static void AddShape(GgufMetadata metadata, ModelConfig config, string architecture, string name)
    {
        metadata.Add("general.architecture", architecture);
        metadata.Add("general.name", name);
        Count("block_count", config.Layers);
        Count("context_length", config.MaxPositions);
        Count("embedding_length", config.HiddenSize);
        Count("feed_forward_length", config.IntermediateSize);
        Count("attention.head_count", config.Heads);
        Count("attention.head_count_kv", config.KeyValueHeads);
        Number("rope.freq_base", config.RopeTheta);
        Number("attention.layer_norm_rms_epsilon", config.RmsNormEpsilon);
        Count("vocab_size", config.VocabularySize);
        if (architecture == ModelFamily.Llama.ModelType) Count("rope.dimension_count", config.HeadDim);
        if (config.HeadDim * config.Heads == config.HiddenSize) return;
        Count("attention.key_length", config.HeadDim);
        Count("attention.value_length", config.HeadDim);

        void Count(string key, int value) => metadata.Add($"{architecture}.{key}", (uint)value);
        void Number(string key, double value) => metadata.Add($"{architecture}.{key}", (float)value);
    }

    /// <summary>Llama 3's scaling is not among these: it goes into a tensor of factors.</summary>
    private static void AddRopeScaling(GgufMetadata metadata, RopeScaling scaling, string prefix)
    {
        if (scaling.Kind == RopeScalingKind.Llama3) return;
        metadata.Add(prefix + "type", scaling.Kind == RopeScalingKind.Linear ? "linear" : "yarn");
        metadata.Add(prefix + "factor", (float)scaling.Factor);
        if (scaling.Kind == RopeScalingKind.Linear) return;
        metadata.Add(prefix + "original_context_length", (uint)scaling.OriginalMaxPositions);
        metadata.Add(prefix + "yarn_beta_fast", (float)scaling.BetaFast);
        metadata.Add(prefix + "yarn_beta_slow", (float)scaling.BetaSlow);
        // llama.cpp multiplies this with YaRN's own 0.1 ln(factor) + 1.
        metadata.Add(prefix + "attn_factor", (float)(scaling.RotationMultiplier / scaling.YarnMscale(1)));
    }

    private static List<string> Notes(ModelConfig config, IReadOnlyList<GgufTensor> tensors, GgufType type)
    {
        var notes = new List<string>();
        if (config.SlidingWindow is { } window && config.SlidingLayers.Count > 0)
            notes.Add($"llama.cpp lets this architecture attend to all positions: beyond {window} tokens its answers differ from the model's.");
        if (config.RopeScaling is { Kind: RopeScalingKind.Yarn, Truncate: false }) notes.Add("llama.cpp begins and ends YaRN's ramp at whole dimensions (truncate): its logits differ a little.");
        if (config.QueryKeyValueBias && config.Heads * config.HeadDim != config.HiddenSize)
            notes.Add($"llama.cpp expects biases of queries as wide as the model, {config.HiddenSize}; this model's are {config.Heads * config.HeadDim} wide, and it does not load them.");
        int wide = tensors.Count(tensor => tensor.Shape.Count > 1 && tensor.Type != type);
        if (wide > 0) notes.Add($"{wide} matrices whose rows are no multiple of {GgufEncoding.BlockSize} are stored as f16.");
        return notes;
    }
}
