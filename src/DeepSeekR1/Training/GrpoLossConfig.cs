using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeepSeekR1.Training;

/// <summary>
/// What a step of reinforcement learning minimises. The defaults are those of the DeepSeek-R1 paper: group-normalised advantages, the
/// clipped ratio with ε = 10, each sequence weighted alike, KL to the reference by k3 with β = 0.001; but only completions that have an
/// advantage are run.
/// </summary>
public sealed record GrpoLossConfig
{
    /// <summary>What an advantage is measured against.</summary>
    [Description("What an advantage is measured against: the group's mean or the mean of the others in the group.")]
    public AdvantageBaseline Baseline { get; init; } = AdvantageBaseline.GroupMean;

    /// <summary>What an advantage is divided by.</summary>
    [Description("What an advantage is divided by: the standard deviation of its group, of the batch, or nothing.")]
    public AdvantageScale AdvantageScale { get; init; } = AdvantageScale.Group;

    /// <summary>Pays a group for the best of so many samples instead of for each (pass@k training); null: each by itself.</summary>
    [Description("Pays a group for the best of so many samples instead of for each (pass@k training, arXiv 2508.10751); null: each by itself. Baseline and advantageScale are then not used."), Range(2, 100_000)]
    public int? PassAtK { get; init; }

    /// <summary>Whether rewards are added before or after they are normalised.</summary>
    [Description("Whether rewards are added before (GRPO) or after (GDPO) they are normalised.")]
    public RewardAggregation RewardAggregation { get; init; } = RewardAggregation.SumThenNormalize;

    /// <summary>What one token's objective is divided by.</summary>
    [Description("What one token's objective is divided by; named after the paper that proposed it.")]
    public LossNormalization Normalization { get; init; } = LossNormalization.Grpo;

    /// <summary>Completions stopped by the length limit teach nothing (DAPO's overlong filtering).</summary>
    [Description("Completions stopped by the length limit teach nothing.")]
    public bool MaskTruncated { get; init; }

    /// <summary>The function of ratio and advantage that is maximised.</summary>
    [Description("The function of ratio and advantage that is maximised.")]
    public PolicyObjectiveKind Objective { get; init; } = PolicyObjectiveKind.Clip;

    /// <summary>Whether the ratio belongs to a token or (GSPO) to a whole sequence.</summary>
    [Description("Whether the ratio of new to old policy belongs to a token or, as in GSPO, to a whole sequence.")]
    public RatioLevel RatioLevel { get; init; } = RatioLevel.Token;

    /// <summary>The ratio is clipped below at 1 - ε.</summary>
    [Description("The ratio is clipped below at one minus this."), Range(0, 1e6)]
    public double EpsilonLow { get; init; } = 10;

    /// <summary>The ratio is clipped above at 1 + ε; null takes <see cref="EpsilonLow"/>.</summary>
    [Description("The ratio is clipped above at one plus this; null takes epsilonLow."), Range(0, 1e6)]
    public double? EpsilonHigh { get; init; }

    /// <summary>Bound of the ratio on the side that clipping leaves open, for negative advantages (INTELLECT-2, arXiv 2505.07291); null: none.</summary>
    [Description("Bound of the ratio for negative advantages too (two-sided clipping); null for none."), Range(1, 1e6)]
    public double? Delta { get; init; }

    /// <summary>Temperatures of the SAPO objective.</summary>
    [Description("Temperatures of the SAPO objective.")]
    public SapoConfig Sapo { get; init; } = new();

    /// <summary>Shape of the VESPO objective's weight.</summary>
    [Description("Shape of the VESPO objective's weight.")]
    public VespoConfig Vespo { get; init; } = new();

    /// <summary>Weight of the KL divergence from the reference model; 0 needs no reference model.</summary>
    [Description("Weight of the KL divergence from the reference model; 0 needs no reference model."), Range(0, 1e3)]
    public double Beta { get; init; } = 0.001;

    /// <summary>Whether the divergence is added to the loss (GRPO) or taken off the reward (RLOO).</summary>
    [Description("Whether the divergence is added to the loss of each token (GRPO) or taken off the reward of each completion, summed over its tokens (RLOO).")]
    public KlPlacement KlPlacement { get; init; } = KlPlacement.Loss;

    /// <summary>How the KL divergence is estimated from one sampled token.</summary>
    [Description("How the KL divergence is estimated from one sampled token.")]
    public KlEstimator KlEstimator { get; init; } = KlEstimator.K3;

    /// <summary>Multiplies the KL estimate by the ratio (DeepSeek-V3.2, arXiv 2512.02556 eq. 7; on in TRL). R1 does not.</summary>
    [Description("Multiplies the KL estimate by the ratio, as DeepSeek-V3.2 does and R1 does not.")]
    public bool BiasCorrectedKl { get; init; }

    /// <summary>Negative sequences whose mean log-ratio old to new exceeds this teach nothing (DeepSeek-V3.2, arXiv 2512.02556 eq. 9); null: all teach.</summary>
    [Description("Sequences of negative advantage that have drifted further than this from the old policy teach nothing; null: all teach.")]
    public double? OffPolicyThreshold { get; init; }

    /// <summary>Only this share of the step's tokens, those of highest entropy, feel the objective (the "80/20 rule"); 1: all.</summary>
    [Description("Share of tokens, those of highest entropy, that feel the objective; 1 is all."), Range(0, 1)]
    public double TopEntropyShare { get; init; } = 1;

    /// <summary>Weight of the mean entropy, which is added to the objective.</summary>
    [Description("Weight of the mean entropy in the objective."), Range(-10, 10)]
    public double EntropyBonus { get; init; }

    /// <summary>Moves the weight of the entropy bonus, which begins at <see cref="EntropyBonus"/>; null: it stays.</summary>
    [Description("Moves the weight of the entropy bonus, which begins at entropyBonus, so that entropy does not fall below a target; null: it stays.")]
    public AdaptiveEntropyConfig? AdaptiveEntropy { get; init; }

    /// <summary>Completions of advantage zero are not run at all; false runs them for their KL or their entropy bonus, as TRL does.</summary>
    [Description("Completions whose advantage is zero are not run at all; false runs them for their KL or their entropy bonus, as TRL does.")]
    public bool SkipZeroAdvantages { get; init; } = true;

    /// <summary>What is done about a sampler whose probabilities differ from the trainer's.</summary>
    [Description("What is done about a sampler whose probabilities differ from the trainer's.")]
    public SamplerCorrectionConfig SamplerCorrection { get; init; } = new();

    /// <summary>Upper bound of the ratio relative to one, resolved.</summary>
    internal double ResolvedEpsilonHigh => EpsilonHigh ?? EpsilonLow;

    /// <summary>True where log-probabilities of a reference model are needed.</summary>
    public bool NeedsReference => Beta != 0;

    /// <summary>Weight of the divergence in the loss.</summary>
    internal double LossBeta => KlPlacement == KlPlacement.Loss ? Beta : 0;

    /// <summary>True where entropies have a gradient.</summary>
    internal bool HasEntropyBonus => EntropyBonus != 0 || AdaptiveEntropy is not null;

    /// <summary>True where the sample goes through the model: it has credit, or is to pay KL or gain entropy without.</summary>
    internal bool Runs(TrainingSample sample) => sample.HasCredit || (!SkipZeroAdvantages && (LossBeta != 0 || HasEntropyBonus));
}
