namespace DeepSeekR1.Models;

/// <summary>How the router turns logits into scores of experts.</summary>
public enum RouterScoring
{
    /// <summary>Softmax over all experts (Qwen3-MoE).</summary>
    Softmax,
    /// <summary>Sigmoid of each; a correction bias, which balances load, takes part in the choice but not in the weights (DeepSeek-V3, section 2.1.2).</summary>
    Sigmoid,
}

/// <summary>A mixture of experts in place of the feed-forward block.</summary>
public sealed record ExpertsConfig
{
    /// <summary>Far beyond every model there is.</summary>
    private const int MostExperts = 1 << 16;

    /// <summary>Experts to choose from.</summary>
    public required int Count { get; init; }

    /// <summary>Experts each token goes to.</summary>
    public required int PerToken { get; init; }

    /// <summary>Width inside one expert.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Experts every token goes to as well, as one block of their joint width; 0 for none.</summary>
    public int Shared { get; init; }

    /// <summary>How scores are made.</summary>
    public RouterScoring Scoring { get; init; }

    /// <summary>The weights of the chosen experts are made to sum to 1.</summary>
    public bool NormalizeWeights { get; init; }

    /// <summary>What the weights are multiplied with afterwards.</summary>
    public double ScalingFactor { get; init; } = 1;

    /// <summary>Groups that experts are divided into; the choice is limited to <see cref="GroupsPerToken"/> of them.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Groups a token may choose experts from: those whose two best experts score most together.</summary>
    public int GroupsPerToken { get; init; } = 1;

    /// <summary>Layers that keep an ordinary feed-forward block.</summary>
    public IReadOnlySet<int> DenseLayers { get; init; } = new HashSet<int>();

    /// <exception cref="R1Exception">The numbers do not fit together.</exception>
    internal void Validate(string fileName)
    {
        if (Count <= 0 || PerToken <= 0 || PerToken > Count)
            throw new R1Exception($"{fileName}: num_experts_per_tok {PerToken} must lie between 1 and the number of experts, {Count}.");
        if (Count > MostExperts) throw new R1Exception($"{fileName}: the number of experts must be at most {MostExperts}, found {Count}.");
        ModelConfig.CheckSize(fileName, "moe_intermediate_size", IntermediateSize);
        if (Shared < 0) throw new R1Exception($"{fileName}: n_shared_experts must not be negative, found {Shared}.");
        if (Shared > 0) ModelConfig.CheckSize(fileName, "n_shared_experts times moe_intermediate_size", (long)Shared * IntermediateSize);
        if (Groups <= 0 || Count % Groups != 0) throw new R1Exception($"{fileName}: the number of experts {Count} is not a multiple of n_group {Groups}.");
        if (GroupsPerToken <= 0 || GroupsPerToken > Groups) throw new R1Exception($"{fileName}: topk_group {GroupsPerToken} must lie between 1 and n_group {Groups}.");
        if (GroupsPerToken * (Count / Groups) < PerToken)
            throw new R1Exception($"{fileName}: num_experts_per_tok {PerToken} exceeds the {GroupsPerToken * (Count / Groups)} experts of topk_group {GroupsPerToken} groups.");
        if (Groups > 1 && Count / Groups < 2) throw new R1Exception($"{fileName}: groups of one expert cannot be ranked by their two best (n_group {Groups}).");
    }
}
