using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>What the loss needs to know of the whole optimizer step, so that it does not depend on how the step is cut.</summary>
/// <param name="EntropyWeight">Weight of one token's entropy in the mean: one over the number of tokens that take part.</param>
/// <param name="EntropyThreshold">Tokens of lower entropy do not feel the objective; null: all do.</param>
/// <param name="EntropyBonus">Weight of the mean entropy in this step; null: the configuration's.</param>
internal sealed record StepConstants(double EntropyWeight = 0, double? EntropyThreshold = null, double? EntropyBonus = null);

/// <summary>
/// Σ objective·credit + β·KL·normalizer - c·entropy, over the tokens of a micro-batch (arXiv 2402.03300 eq. 3). Knows neither groups
/// nor batches: credit is decided before.
/// </summary>
internal sealed class GrpoLoss(GrpoLossConfig config)
{
    private readonly PolicyObjective _objective = PolicyObjective.Create(config);

    /// <summary>The scalar loss of the micro-batch; the step's loss is the sum over its micro-batches.</summary>
    /// <exception cref="R1Exception">KL is asked for and the tokens have no reference log-probabilities.</exception>
    public Tensor Evaluate(LossTokens tokens, StepConstants step, LossMetrics metrics)
    {
        var old = tokens.Old ?? tokens.LogProbs.detach();
        var terms = Ratios(tokens, old);
        var loss = _objective.Loss(terms);
        if (OffPolicyKeep(tokens, old) is { } keepSequence) loss = loss * keepSequence;
        var keepEntropy = step.EntropyThreshold is { } threshold ? tokens.Entropies.detach().ge(threshold).to(loss.dtype) : null;
        if (keepEntropy is not null) loss = loss * keepEntropy;
        if (terms.Correction is not null && !_objective.IncludesSamplerCorrection) loss = loss * terms.Correction.PerToken;
        if (config.LossBeta != 0) loss = loss + config.LossBeta * tokens.Normalizer * Divergence(terms, metrics);

        var total = loss.sum();
        metrics.Mean("entropy", tokens.Entropies.sum(), tokens.Sequences.Tokens);
        if (config.HasEntropyBonus)
        {
            metrics.Sum("policy_loss", total);
            var entropies = keepEntropy is null ? tokens.Entropies : tokens.Entropies * keepEntropy;
            total = total - (step.EntropyBonus ?? config.EntropyBonus) * step.EntropyWeight * entropies.sum();
        }
        metrics.Sum("loss", total);
        _objective.Observe(terms, metrics);
        if (tokens.Sampler is not null) SamplerWeights.ObserveDifference(old, tokens.Sampler, metrics);
        terms.Correction?.Observe(metrics);
        return total;
    }

    private RatioTerms Ratios(LossTokens tokens, Tensor old)
    {
        var logRatio = tokens.LogProbs - old;
        var sequences = tokens.Sequences;
        var ratio = config.RatioLevel == RatioLevel.Token ? logRatio.exp() : sequences.Spread(sequences.Mean(logRatio).exp());
        return new RatioTerms(tokens, logRatio, ratio, config.RatioLevel, SamplerWeights.Of(config.SamplerCorrection, old, tokens.Sampler, sequences));
    }

    private Tensor Divergence(RatioTerms terms, LossMetrics metrics)
    {
        var reference = terms.Tokens.Reference
            ?? throw new R1Exception($"The KL term (beta = {config.Beta}) needs log-probabilities of a reference model, and the samples have none: compute them, or set beta to 0.");
        var divergence = KlDivergence.Estimate(config.KlEstimator, terms.Tokens.LogProbs, reference);
        if (config.BiasCorrectedKl) divergence = divergence * terms.Ratio;
        metrics.Mean("kl", divergence.sum(), terms.Tokens.Sequences.Tokens);
        return divergence;
    }

    /// <summary>0 for tokens of a sequence of negative advantage that the policy has left behind (DeepSeek-V3.2, arXiv 2512.02556 eq. 9).</summary>
    private Tensor? OffPolicyKeep(LossTokens tokens, Tensor old)
    {
        if (config.OffPolicyThreshold is not { } threshold) return null;
        var drift = tokens.Sequences.Mean((tokens.Sampler ?? old) - tokens.LogProbs.detach());
        return tokens.Credit.ge(0).logical_or(tokens.Sequences.Spread(drift).le(threshold)).to(tokens.LogProbs.dtype);
    }
}
