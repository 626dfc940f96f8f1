using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeepSeekR1.Configuration;
using DeepSeekR1.Rollouts;

namespace DeepSeekR1.Training;

/// <summary>Reinforcement learning with group-relative advantages (GRPO: Shao et al. 2024, arXiv 2402.03300; DeepSeek-R1, arXiv 2501.12948).</summary>
public sealed record GrpoConfig : IValidatedConfig
{
    /// <summary>Steps; each samples one batch of rollouts.</summary>
    [Description("Steps; each samples one batch of rollouts."), Range(1, 10_000_000)]
    public int Steps { get; init; } = 100;

    /// <summary>Different prompts a step.</summary>
    [Description("Different prompts a step."), Range(1, 1_000_000)]
    public int PromptsPerStep { get; init; } = 8;

    /// <summary>Rollouts of each prompt (G in the paper).</summary>
    [Description("Rollouts of each prompt (G in the paper)."), Range(2, 100_000)]
    public int GroupSize { get; init; } = 8;

    /// <summary>Rounds of sampling a step: with more than one, groups without signal are replaced by groups of further prompts (DAPO).</summary>
    [Description("Rounds of sampling a step: with more than one, groups whose scores are all equal are replaced by groups of further prompts (dynamic sampling, DAPO)."), Range(1, 1000)]
    public int SamplingRounds { get; init; } = 1;

    /// <summary>Optimizer updates that one batch of rollouts is cut into.</summary>
    [Description("Optimizer updates that one batch of rollouts is cut into."), Range(1, 100_000)]
    public int MiniBatches { get; init; } = 1;

    /// <summary>Passes over one batch of rollouts (μ in the paper).</summary>
    [Description("Passes over one batch of rollouts (mu in the paper)."), Range(1, 1000)]
    public int InnerEpochs { get; init; } = 1;

    /// <summary>Steps after which the reference model is replaced by the policy; 0: never.</summary>
    [Description("Steps after which the reference model is replaced by the policy; 0: never."), Range(0, int.MaxValue)]
    public int ReferenceReplacedEvery { get; init; }

    /// <summary>The share that the policy has in the reference model that replaces the old one (TR-DPO, arXiv 2404.09656, section 3); 1: all.</summary>
    [Description("Share of the policy in the reference model that replaces the old one, which keeps the rest; 1 replaces it whole. Less than 1 is not for adapters."), Range(0.0, 1.0)]
    public double ReferenceMixup { get; init; } = 1;

    /// <summary>What the ratio compares the policy with when one batch of rollouts feeds several updates.</summary>
    [Description("What the ratio compares the policy with when one batch of rollouts feeds several updates: log-probabilities recomputed by the training forward, or the sampler's own.")]
    public OldPolicy OldPolicy { get; init; } = OldPolicy.Recomputed;

    /// <summary>The loss is evaluated at log-probabilities that are the sampler's bit for bit, instead of within rounding of them.</summary>
    [Description("The loss is evaluated at log-probabilities computed by the sampler's own kernels, so that sampler and trainer agree bit for bit; on the CPU, for models that these kernels know. Costs a forward pass of theirs an update.")]
    public bool Bitwise { get; init; }

    /// <summary>How an update is cut for the machine: bounds the memory of forward and backward.</summary>
    [Description("How an update is cut for the machine: bounds the memory of forward and backward.")]
    public BatchConfig Batching { get; init; } = new();

    /// <summary>How much is decoded at a time: bounds the memory of rollouts.</summary>
    [Description("How much is decoded at a time: bounds the memory of rollouts.")]
    public RolloutLimits Limits { get; init; } = new();

    /// <summary>How completions are drawn. Training wants the untruncated distribution: top-k, top-p and min-p off.</summary>
    [Description("How completions are drawn.")]
    public SamplingConfig Sampling { get; init; } = new();

    /// <summary>Advantage, objective and KL.</summary>
    [Description("Advantage, objective and KL.")]
    public GrpoLossConfig Loss { get; init; } = new();

    /// <summary>The optimizer.</summary>
    [Description("The optimizer.")]
    public OptimizerConfig Optimizer { get; init; } = new() { LearningRate = 1e-6 };

    /// <summary>The learning rate's course over the steps.</summary>
    [Description("The learning rate's course over the steps.")]
    public ScheduleConfig Schedule { get; init; } = new();

    /// <summary>The run stops when a reward fails on more than this share of a step's completions.</summary>
    [Description("The run stops when a reward fails on more than this share of a step's completions."), Range(0, 1)]
    public double ToleratedRewardFailures { get; init; } = 0.5;

    /// <summary>The run stops after this many steps in a row in which no group had two different scores; 0: never.</summary>
    [Description("The run stops after this many steps in a row in which no group had two different scores; 0: never."), Range(0, 1_000_000)]
    public int ToleratedStepsWithoutSignal { get; init; } = 10;

    /// <summary>Updates in a row that may be skipped for a loss or gradient that is not finite.</summary>
    [Description("Updates in a row that may be skipped for a loss or gradient that is not finite."), Range(0, 1000)]
    public int ToleratedSkips { get; init; } = 3;

    /// <inheritdoc/>
    public IEnumerable<ConfigProblem> Validate()
    {
        if (MiniBatches > PromptsPerStep * GroupSize)
            yield return new(nameof(MiniBatches), $"must not exceed promptsPerStep × groupSize ({PromptsPerStep * GroupSize} samples), but is {MiniBatches}");
        if (Loss.PassAtK > GroupSize)
            yield return new(nameof(Loss), $"must not set passAtK above groupSize ({GroupSize}), but it is {Loss.PassAtK}");
        if (Loss.PassAtK is not null && Loss.RewardAggregation != RewardAggregation.SumThenNormalize)
            yield return new(nameof(Loss), "must sum rewards before they are normalised (rewardAggregation: sum-then-normalize) where passAtK is set");
        if (Loss is { Beta: not 0, KlPlacement: KlPlacement.Reward, RewardAggregation: not RewardAggregation.SumThenNormalize })
            yield return new(nameof(Loss), "must sum rewards before they are normalised (rewardAggregation: sum-then-normalize) where KL is taken off the reward (klPlacement: reward)");
        if (Loss.AdaptiveEntropy is { } adaptive && adaptive.Min > adaptive.Max)
            yield return new(nameof(Loss), $"must have adaptiveEntropy.min ({adaptive.Min}) not above adaptiveEntropy.max ({adaptive.Max})");
        if (Sampling.Temperature == 0)
            yield return new(nameof(Sampling), "must not be greedy (temperature 0): all rollouts of a group would be equal and carry no signal");
    }
}

/// <summary>What the ratio compares the policy with.</summary>
public enum OldPolicy
{
    /// <summary>Log-probabilities recomputed by the training forward before the first update: exact, costs a forward pass.</summary>
    Recomputed,
    /// <summary>The sampler's own log-probabilities: free, and as exact as sampler and trainer agree.</summary>
    Sampler,
}
