namespace DeepSeekR1.Models;

/// <summary>How a fresh parameter is drawn.</summary>
internal enum Initialization
{
    /// <summary>Normal with deviation 1/sqrt(fan-in).</summary>
    FanIn,
    /// <summary>As <see cref="FanIn"/>, further divided by sqrt(2 * layers): projections that write to the residual stream (GPT-2).</summary>
    Residual,
    /// <summary>Normal with deviation 0.1.</summary>
    Embedding,
    /// <summary>One: scales of norms.</summary>
    One,
    /// <summary>Zero: biases.</summary>
    Zero,
}

/// <summary>Name, shape and beginning of one parameter.</summary>
internal sealed record ParameterSpec(string Name, long[] Shape, Initialization Initialization)
{
    public long Elements => Shape.Aggregate(1L, (product, dimension) => product * dimension);
}

/// <summary>Which parameters a configuration has, by their Hugging Face names.</summary>
internal static class ParameterLayout
{
    public const string Embedding = "model.embed_tokens.weight";
    public const string FinalNorm = "model.norm.weight";
    public const string Head = "lm_head.weight";

    public static string Layer(int index) => $"model.layers.{index}.";

    public static IEnumerable<ParameterSpec> Of(ModelConfig config)
    {
        yield return new(Embedding, [config.VocabularySize, config.HiddenSize], Initialization.Embedding);
        for (int layer = 0; layer < config.Layers; layer++)
            foreach (var parameter in LayerOf(config))
                yield return parameter with { Name = Layer(layer) + parameter.Name };
        yield return Norm(FinalNorm, config.HiddenSize);
        if (!config.TieWordEmbeddings) yield return new(Head, [config.VocabularySize, config.HiddenSize], Initialization.FanIn);
    }

    private static IEnumerable<ParameterSpec> LayerOf(ModelConfig config) =>
    [
        Norm("input_layernorm.weight", config.HiddenSize),
        .. Attention(config),
        Norm("post_attention_layernorm.weight", config.HiddenSize),
        .. Mlp("mlp.", config.HiddenSize, config.IntermediateSize, config.MlpBias),
    ];

    private static IEnumerable<ParameterSpec> Attention(ModelConfig config)
    {
        int queryWidth = config.Heads * config.HeadDim, keyWidth = config.KeyValueHeads * config.HeadDim;
        return
        [
            .. Linear("self_attn.q_proj", queryWidth, config.HiddenSize, config.QueryKeyValueBias),
            .. Linear("self_attn.k_proj", keyWidth, config.HiddenSize, config.QueryKeyValueBias),
            .. Linear("self_attn.v_proj", keyWidth, config.HiddenSize, config.QueryKeyValueBias),
            .. Linear("self_attn.o_proj", config.HiddenSize, queryWidth, config.AttentionOutputBias, Initialization.Residual),
        ];
    }

    private static IEnumerable<ParameterSpec> Mlp(string prefix, int hidden, int intermediate, bool bias) =>
    [
        .. Linear(prefix + "gate_proj", intermediate, hidden, bias),
        .. Linear(prefix + "up_proj", intermediate, hidden, bias),
        .. Linear(prefix + "down_proj", hidden, intermediate, bias, Initialization.Residual),
    ];

    private static ParameterSpec Norm(string name, int size) => new(name, [size], Initialization.One);

    private static IEnumerable<ParameterSpec> Linear(string name, int outputs, int inputs, bool bias, Initialization initialization = Initialization.FanIn)
    {
        yield return new(name + ".weight", [outputs, inputs], initialization);
        if (bias) yield return new(name + ".bias", [outputs], Initialization.Zero);
    }
}
