using static TorchSharp.torch;

namespace DeepSeekR1.Rollouts;

/// <summary>
/// What <see cref="Sampler"/> does, for all sequences of a batch where their logits are: on a GPU the drawn ids and their log-probabilities are
/// all that a step sends back.
/// </summary>
/// <param name="config">How tokens are drawn.</param>
internal sealed class TorchSampler(SamplingConfig config)
{
    /// <summary>Draws a token for each row.</summary>
    /// <param name="logits">[sequence, vocabulary] float32, on any device.</param>
    /// <param name="contexts">The ids before it, prompt included; read only by the repetition penalty.</param>
    /// <param name="uniforms">[sequence] numbers in [0, 1).</param>
    /// <param name="tokens">[sequence] what is drawn.</param>
    /// <exception cref="R1Exception">A logit is NaN or +∞, or all of a sequence are -∞.</exception>
    public void Sample(Tensor logits, IReadOnlyList<ReadOnlyMemory<int>> contexts, ReadOnlySpan<double> uniforms, Span<SampledToken> tokens)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var scores = Penalize(logits, contexts);
        var highest = logits.amax([-1]);
        Tensor ids, logProbs;
        if (config.IsGreedy) (ids, logProbs) = (scores.argmax(-1), zeros_like(highest));
        else
        {
            ids = Pick(Weights(scores), tensor(uniforms.ToArray(), [uniforms.Length, 1], device: logits.device));
            logProbs = nn.functional.log_softmax(logits / config.Temperature, -1).gather(-1, ids.unsqueeze(-1)).squeeze(-1);
        }
        // One copy to the host: ids are exact in float64.
        var drawn = stack([ids.to(ScalarType.Float64), logProbs.to(ScalarType.Float64), highest.to(ScalarType.Float64)]).cpu().data<double>();
        for (int i = 0; i < tokens.Length; i++)
        {
            if (!double.IsFinite(drawn[2 * tokens.Length + i])) throw TokenDistribution.Unusable((float)drawn[2 * tokens.Length + i]);
            tokens[i] = new SampledToken((int)drawn[i], (float)drawn[tokens.Length + i]);
        }
    }

    /// <summary>[sequence, vocabulary] float64 probabilities that <see cref="Sample"/> draws from, up to a factor a row.</summary>
    internal Tensor Weights(Tensor penalized)
    {
        using var scope = NewDisposeScope();
        var scores = penalized / config.Temperature;
        if (config.TopK > 0 && config.TopK < scores.shape[^1])
            scores = scores.masked_fill(scores < scores.topk(config.TopK).values.narrow(-1, config.TopK - 1, 1), double.NegativeInfinity);
        if (config.TopP < 1)
        {
            var (sorted, order) = scores.sort(-1, descending: true, stable: true);
            var probabilities = nn.functional.softmax(sorted.to(ScalarType.Float64), -1);
            var isBeyond = (probabilities.cumsum(-1) - probabilities) >= config.TopP;
            isBeyond.narrow(-1, 0, 1).fill_(false);
            scores = scores.masked_fill(zeros_like(isBeyond).scatter(-1, order, isBeyond), double.NegativeInfinity);
        }
        var weights = nn.functional.softmax(scores.to(ScalarType.Float64), -1);
        if (config.MinP > 0) weights = weights.masked_fill(weights < weights.amax([-1], keepdim: true) * config.MinP, 0);
        return weights.MoveToOuterDisposeScope();
    }

    /// <summary>The first id, ascending, whose cumulative weight exceeds the uniform number's share of all; else the last possible one.</summary>
    private static Tensor Pick(Tensor weights, Tensor uniforms)
    {
        var cumulative = weights.cumsum(-1);
        var last = (weights > 0).to(ScalarType.Int64).cumsum(-1).argmax(-1, keepdim: true);
        return (cumulative <= uniforms * cumulative.narrow(-1, -1, 1)).sum(-1, keepdim: true).minimum(last).squeeze(-1);
    }

    /// <summary>The scores after the repetition penalty (CTRL, arXiv:1909.05858, section 4.1): each token seen before counts once.</summary>
    internal Tensor Penalize(Tensor logits, IReadOnlyList<ReadOnlyMemory<int>> contexts)
    {
        if (config.RepetitionPenalty == 1) return logits;
        int longest = contexts.Max(context => context.Length);
        // Shorter contexts repeat their last id; each counts once.
        var ids = new long[contexts.Count * longest];
        for (int row = 0; row < contexts.Count; row++)
        {
            var context = contexts[row].Span;
            for (int i = 0; i < longest; i++) ids[(row * longest) + i] = context[Math.Min(i, context.Length - 1)];
        }
        var seen = tensor(ids, [contexts.Count, longest], device: logits.device);
        var scores = logits.gather(-1, seen);
        return logits.scatter(-1, seen, where(scores < 0, scores * config.RepetitionPenalty, scores / config.RepetitionPenalty));
    }
}
