namespace DeepSeekR1.Rollouts;

/// <summary>
/// Draws tokens from logits. The processors and their order are those of transformers: repetition penalty, temperature, top-k, top-p,
/// min-p. The pick inverts the cumulative distribution in id order, so that one uniform number names one token.
/// Allocates nothing per call; one instance belongs to one thread.
/// </summary>
/// <param name="config">How tokens are drawn.</param>
/// <param name="vocabulary">Number of logits.</param>
internal sealed class Sampler(SamplingConfig config, int vocabulary)
{
    private readonly TokenDistribution _distribution = new(vocabulary);

    // Scratch of the repetition penalty: the penalized scores, and the call at which each token was last met.
    private readonly float[] _penalized = config.RepetitionPenalty == 1 ? [] : new float[vocabulary];
    private readonly int[] _lastMet = config.RepetitionPenalty == 1 ? [] : new int[vocabulary];
    private int _call;

    /// <summary>Draws one token.</summary>
    /// <param name="logits">[vocabulary] next-token logits.</param>
    /// <param name="context">The ids before it, prompt included; read only by the repetition penalty.</param>
    /// <param name="uniform">A number in [0, 1).</param>
    /// <exception cref="R1Exception">A logit is NaN or +∞, or all are -∞.</exception>
    public SampledToken Sample(ReadOnlySpan<float> logits, ReadOnlySpan<int> context, double uniform)
    {
        if (config.IsGreedy) return new SampledToken(_distribution.ArgMax(Penalize(logits, context)), 0);
        var policy = Process(logits, context);
        int id = _distribution.Pick(uniform);
        return new SampledToken(id, policy.LogProb(logits[id]));
    }

    /// <summary>[vocabulary] the probabilities that <see cref="Sample"/> draws from, unless it is greedy.</summary>
    internal void Probabilities(ReadOnlySpan<float> logits, ReadOnlySpan<int> context, Span<double> destination)
    {
        Process(logits, context);
        _distribution.CopyTo(destination);
    }

    /// <summary>Leaves the processed distribution in place; returns the normalizer of the unprocessed one.</summary>
    private SoftmaxNormalizer Process(ReadOnlySpan<float> logits, ReadOnlySpan<int> context)
    {
        var policy = _distribution.Weigh(logits, config.Temperature);
        var scores = logits;
        if (config.RepetitionPenalty != 1)
        {
            scores = Penalize(logits, context);
            _distribution.Weigh(scores, config.Temperature);
        }
        if (config.TopK > 0 && config.TopK < vocabulary) _distribution.KeepTopK(scores, config.TopK);
        if (config.TopP < 1) _distribution.KeepTopP(scores, config.TopP);
        if (config.MinP > 0) _distribution.KeepMinP((float)config.MinP);
        return policy;
    }

    /// <summary>The scores after the repetition penalty (CTRL, arXiv:1909.05858, section 4.1): each token seen before counts once.</summary>
    private ReadOnlySpan<float> Penalize(ReadOnlySpan<float> logits, ReadOnlySpan<int> context)
    {
        if (config.RepetitionPenalty == 1) return logits;
        float penalty = (float)config.RepetitionPenalty;
        logits.CopyTo(_penalized);
        _call++;
        foreach (int id in context)
        {
            if (_lastMet[id] == _call) continue;
            _lastMet[id] = _call;
            _penalized[id] = _penalized[id] < 0 ? _penalized[id] * penalty : _penalized[id] / penalty;
        }
        return _penalized;
    }
}
