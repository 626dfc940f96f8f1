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
    /// <summary>False for a buffer: no gradient reaches it, and it stays in float32 whatever the model computes with.</summary>
    public bool IsTrainable => !ParameterLayout.IsBuffer(Name);

    public long Elements => Shape.Aggregate(1L, (product, dimension) => product * dimension);
}

/// <summary>Which parameters a configuration has, by their Hugging Face names, in the order of the forward pass.</summary>
internal static class ParameterLayout
{
    public const string Embedding = "model.embed_tokens.weight";
    public const string FinalNorm = "model.norm.weight";
    public const string Head = "lm_head.weight";
    public const string ScoreHead = "score.weight";

    private const string RouterCorrection = "mlp.gate.e_score_correction_bias";

    /// <summary>True for what no gradient reaches.</summary>
    public static bool IsBuffer(string name) => name.EndsWith(RouterCorrection, StringComparison.Ordinal);

    public static string Layer(int index) => $"model.layers.{index}.";

    public static IEnumerable<ParameterSpec> Of(ModelConfig config)
    {
        yield return new(Embedding, [config.VocabularySize, config.HiddenSize], Initialization.Embedding);
        for (int layer = 0; layer < config.Layers; layer++)
            foreach (var parameter in LayerOf(config, layer))
                yield return parameter with { Name = Layer(layer) + parameter.Name };
        yield return Norm(FinalNorm, config.HiddenSize);
        if (config.IsClassifier) yield return new(ScoreHead, [1, config.HiddenSize], Initialization.FanIn);
        else if (!config.TieWordEmbeddings) yield return new(Head, [config.VocabularySize, config.HiddenSize], Initialization.FanIn);
    }

    private static IEnumerable<ParameterSpec> LayerOf(ModelConfig config, int layer) =>
    [
        Norm("input_layernorm.weight", config.HiddenSize),
        .. config.LatentAttention is { } latent ? LatentAttention(config, latent) : GroupedAttention(config),
        Norm("post_attention_layernorm.weight", config.HiddenSize),
        .. config.ExpertsOf(layer) is { } experts ? Experts(config, experts) : Mlp("mlp.", config.HiddenSize, config.IntermediateSize, config.MlpBias),
    ];

    private static IEnumerable<ParameterSpec> GroupedAttention(ModelConfig config)
    {
        int queryWidth = config.Heads * config.HeadDim, keyWidth = config.KeyValueHeads * config.HeadDim;
        IEnumerable<ParameterSpec> headNorms = config.QueryKeyNorm ? [Norm("self_attn.q_norm.weight", config.HeadDim), Norm("self_attn.k_norm.weight", config.HeadDim)] : [];
        return
        [
            .. Linear("self_attn.q_proj", queryWidth, config.HiddenSize, config.QueryKeyValueBias),
            .. Linear("self_attn.k_proj", keyWidth, config.HiddenSize, config.QueryKeyValueBias),
            .. Linear("self_attn.v_proj", keyWidth, config.HiddenSize, config.QueryKeyValueBias),
            .. headNorms,
            .. Linear("self_attn.o_proj", config.HiddenSize, queryWidth, config.AttentionOutputBias, Initialization.Residual),
        ];
    }

    private static IEnumerable<ParameterSpec> LatentAttention(ModelConfig config, LatentAttentionConfig latent)
    {
        int queryWidth = config.Heads * latent.QueryHeadDim;
        IEnumerable<ParameterSpec> query = latent.QueryRank is { } rank
            ?
            [
                .. Linear("self_attn.q_a_proj", rank, config.HiddenSize, config.QueryKeyValueBias),
                Norm("self_attn.q_a_layernorm.weight", rank),
                .. Linear("self_attn.q_b_proj", queryWidth, rank, bias: false),
            ]
            : Linear("self_attn.q_proj", queryWidth, config.HiddenSize, bias: false);
        return
        [
            .. query,
            .. Linear("self_attn.kv_a_proj_with_mqa", latent.KeyValueRank + latent.RotaryHeadDim, config.HiddenSize, config.QueryKeyValueBias),
            Norm("self_attn.kv_a_layernorm.weight", latent.KeyValueRank),
            .. Linear("self_attn.kv_b_proj", config.Heads * (latent.PlainHeadDim + latent.ValueHeadDim), latent.KeyValueRank, bias: false),
            .. Linear("self_attn.o_proj", config.HiddenSize, config.Heads * latent.ValueHeadDim, config.AttentionOutputBias, Initialization.Residual),
        ];
    }

    private static IEnumerable<ParameterSpec> Experts(ModelConfig config, ExpertsConfig experts)
    {
        yield return new("mlp.gate.weight", [experts.Count, config.HiddenSize], Initialization.FanIn);
        if (experts.Scoring == RouterScoring.Sigmoid)
            yield return new(RouterCorrection, [experts.Count], Initialization.Zero);
        for (int expert = 0; expert < experts.Count; expert++)
            foreach (var parameter in Mlp($"mlp.experts.{expert}.", config.HiddenSize, experts.IntermediateSize, bias: false))
                yield return parameter;
        if (experts.Shared > 0)
            foreach (var parameter in Mlp("mlp.shared_experts.", config.HiddenSize, experts.IntermediateSize * experts.Shared, bias: false))
                yield return parameter;
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
