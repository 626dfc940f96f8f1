using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>The function of ratio and advantage that is maximised.</summary>
public enum PolicyObjectiveKind
{
    /// <summary>The pessimistic minimum of the ratio and the clipped ratio (PPO, arXiv 1707.06347 eq. 7; GRPO, DAPO, Dr. GRPO, GSPO).</summary>
    Clip,
    /// <summary>The log-probability weighted with the capped, detached ratio (CISPO, MiniMax-M1, arXiv 2506.13585 eq. 4, 5).</summary>
    Cispo,
    /// <summary>A sigmoid gate of the ratio in place of the clip (SAPO, arXiv 2511.20347 eq. 5, 6).</summary>
    Sapo,
    /// <summary>A smooth weight of the whole sequence's ratio (VESPO, arXiv 2602.10693 v3 eq. 20).</summary>
    Vespo,
    /// <summary>The log-probability itself (REINFORCE).</summary>
    PolicyGradient,
}

/// <summary>To what the ratio of new to old policy belongs.</summary>
public enum RatioLevel
{
    /// <summary>Each token has its own.</summary>
    Token,
    /// <summary>The geometric mean over the sequence (GSPO, arXiv 2507.18071 eq. 7).</summary>
    Sequence,
}

/// <summary>Temperatures of the SAPO objective: the higher, the faster the gradient fades as the ratio leaves one.</summary>
public sealed record SapoConfig
{
    /// <summary>For positive advantages.</summary>
    [Description("Temperature for positive advantages."), Range(1e-3, 1e3)]
    public double PositiveTemperature { get; init; } = 1;

    /// <summary>For negative advantages.</summary>
    [Description("Temperature for negative advantages."), Range(1e-3, 1e3)]
    public double NegativeTemperature { get; init; } = 1.05;
}

/// <summary>Shape of VESPO's weight φ(w) = w^k · exp(λ(1 - w)) of the sequence's ratio w.</summary>
public sealed record VespoConfig
{
    /// <summary>k for advantages that are not negative.</summary>
    [Description("Power of the ratio for advantages that are not negative."), Range(0, 100)]
    public double PositivePower { get; init; } = 2;

    /// <summary>λ for advantages that are not negative.</summary>
    [Description("Decay of the weight for advantages that are not negative."), Range(0, 100)]
    public double PositiveDecay { get; init; } = 3;

    /// <summary>k for negative advantages.</summary>
    [Description("Power of the ratio for negative advantages."), Range(0, 100)]
    public double NegativePower { get; init; } = 3;

    /// <summary>λ for negative advantages.</summary>
    [Description("Decay of the weight for negative advantages."), Range(0, 100)]
    public double NegativeDecay { get; init; } = 2;
}

/// <summary>The ratio of new to old policy, and what else an objective may read.</summary>
/// <param name="Tokens">The micro-batch.</param>
/// <param name="LogRatio">[token] log π - log π_old, differentiable.</param>
/// <param name="Ratio">[token] its exponential; with <see cref="RatioLevel.Sequence"/> the sequence's geometric mean on each of its tokens.</param>
/// <param name="Level">To what the ratio belongs.</param>
/// <param name="Correction">Weights against the sampler's mismatch; null: none.</param>
internal sealed record RatioTerms(LossTokens Tokens, Tensor LogRatio, Tensor Ratio, RatioLevel Level, SamplerWeights? Correction);

/// <summary>
/// The part of the loss that a paper changes: ratio and credit → loss of each token. A new one is a new class here, a member of
/// <see cref="PolicyObjectiveKind"/> and a line in <see cref="Create"/>.
/// </summary>
internal abstract class PolicyObjective
{
    /// <summary>The loss (to be minimised) of each token, credit included. [token]</summary>
    public abstract Tensor Loss(RatioTerms terms);

    /// <summary>Adds the metrics of this objective.</summary>
    public virtual void Observe(RatioTerms terms, LossMetrics metrics) { }

    /// <summary>True where the weights against the sampler's mismatch are already inside <see cref="Loss"/>.</summary>
    public virtual bool IncludesSamplerCorrection => false;

    public static PolicyObjective Create(GrpoLossConfig config) => config.Objective switch
    {
        PolicyObjectiveKind.Clip => new ClippedObjective(config.EpsilonLow, config.ResolvedEpsilonHigh, config.Delta),
        PolicyObjectiveKind.Cispo => new CispoObjective(config.ResolvedEpsilonHigh),
        PolicyObjectiveKind.Sapo => new SapoObjective(config.Sapo),
        PolicyObjectiveKind.Vespo => new VespoObjective(config.Vespo),
        PolicyObjectiveKind.PolicyGradient => new PolicyGradientObjective(),
        _ => throw new ArgumentOutOfRangeException(nameof(config), config.Objective, "unknown objective"),
    };

    /// <summary>Mean of an indicator over tokens, or over sequences where the ratio is a sequence's.</summary>
    protected static void ObserveShare(RatioTerms terms, LossMetrics metrics, string name, Tensor indicator)
    {
        if (terms.Level == RatioLevel.Token) metrics.Mean(name, indicator.sum(), terms.Tokens.Sequences.Tokens);
        else metrics.Mean(name, terms.Tokens.Sequences.Mean(indicator).sum(), terms.Tokens.Sequences.Count);
    }
}

/// <summary>min(min(r, δ)·A, clip(r, 1 - ε, 1 + ε')·A): PPO's pessimistic bound (eq. 7) with DAPO's higher ceiling (eq. 10) and INTELLECT-2's δ.</summary>
internal sealed class ClippedObjective(double low, double high, double? delta) : PolicyObjective
{
    public override Tensor Loss(RatioTerms terms)
    {
        var credit = terms.Tokens.Credit;
        return -minimum(Bounded(terms.Ratio) * credit, terms.Ratio.clamp(1 - low, 1 + high) * credit);
    }

    public override void Observe(RatioTerms terms, LossMetrics metrics)
    {
        var (ratio, credit) = (Bounded(terms.Ratio), terms.Tokens.Credit);
        var tooLow = ratio.lt(1 - low).logical_and(credit.lt(0)).to(ratio.dtype);
        var tooHigh = ratio.gt(1 + high).logical_and(credit.gt(0)).to(ratio.dtype);
        ObserveShare(terms, metrics, "clip_ratio/low_mean", tooLow);
        ObserveShare(terms, metrics, "clip_ratio/high_mean", tooHigh);
        ObserveShare(terms, metrics, "clip_ratio/region_mean", tooLow + tooHigh);
        metrics.Min("clip_ratio/low_min", terms.Tokens.Sequences.Mean(tooLow).min());
        metrics.Max("clip_ratio/high_max", terms.Tokens.Sequences.Mean(tooHigh).max());
    }

    private Tensor Bounded(Tensor ratio) => delta is { } bound ? ratio.clamp(max: bound) : ratio;
}

/// <summary>sg(min(r, 1 + ε))·A·log π: clips the weight and never the gradient (CISPO, arXiv 2506.13585 eq. 4, 5).</summary>
internal sealed class CispoObjective(double high) : PolicyObjective
{
    public override Tensor Loss(RatioTerms terms) =>
        -(terms.Ratio.detach().clamp(max: 1 + high) * terms.Tokens.Credit * terms.Tokens.LogProbs);

    public override void Observe(RatioTerms terms, LossMetrics metrics) =>
        ObserveShare(terms, metrics, "cispo_clip_ratio", terms.Ratio.gt(1 + high).logical_and(terms.Tokens.Credit.gt(0)).to(terms.Ratio.dtype));
}

/// <summary>(4/τ)·σ(τ(r - 1))·A: a gate that fades instead of a clip (SAPO, arXiv 2511.20347 eq. 5, 6).</summary>
internal sealed class SapoObjective(SapoConfig config) : PolicyObjective
{
    public override Tensor Loss(RatioTerms terms)
    {
        var credit = terms.Tokens.Credit;
        var temperature = where(credit.gt(0), full_like(credit, config.PositiveTemperature), full_like(credit, config.NegativeTemperature));
        return -(4 / temperature * sigmoid(temperature * (terms.Ratio - 1)) * credit);
    }
}

/// <summary>φ(w)·A·log π with φ(w) = w^k·exp(λ(1 - w)), detached, w the ratio of the whole sequence (VESPO, arXiv 2602.10693 v3 eq. 20).</summary>
internal sealed class VespoObjective(VespoConfig config) : PolicyObjective
{
    private const double LargestLogRatio = 20, SmallestRatio = 1e-8;

    public override bool IncludesSamplerCorrection => true;

    public override Tensor Loss(RatioTerms terms) => -(Weight(terms) * terms.Tokens.Credit * terms.Tokens.LogProbs);

    public override void Observe(RatioTerms terms, LossMetrics metrics)
    {
        // A sequence without tokens has ratio one and therefore weight one.
        var sequences = terms.Tokens.Sequences;
        metrics.Mean("vespo/phi_seq_mean", sequences.Mean(Weight(terms) - 1).sum() + sequences.Count, sequences.Count);
    }

    private Tensor Weight(RatioTerms terms)
    {
        var (credit, sequences) = (terms.Tokens.Credit, terms.Tokens.Sequences);
        var logRatio = sequences.Sum(terms.LogRatio.detach().clamp(-LargestLogRatio, LargestLogRatio));
        if (terms.Correction is { } correction) logRatio = logRatio + correction.LogPerSequence(SmallestRatio);
        var log = sequences.Spread(logRatio.clamp(Math.Log(SmallestRatio), LargestLogRatio));
        var isNegative = credit.lt(0);
        var power = where(isNegative, full_like(credit, config.NegativePower), full_like(credit, config.PositivePower));
        var decay = where(isNegative, full_like(credit, config.NegativeDecay), full_like(credit, config.PositiveDecay));
        return (decay + power * log - decay * log.exp()).exp();
    }
}

/// <summary>A·log π: the policy gradient itself (REINFORCE); the old policy plays no part.</summary>
internal sealed class PolicyGradientObjective : PolicyObjective
{
    public override Tensor Loss(RatioTerms terms) => -(terms.Tokens.Credit * terms.Tokens.LogProbs);
}
