using System.Numerics.Tensors;

namespace DeepSeekR1.Rollouts;

/// <summary>
/// Draws tokens from logits. The processors and their order are those of transformers: repetition penalty, temperature, top-k, top-p,
/// min-p. The pick inverts the cumulative distribution in id order, so that one uniform number names one token.
/// Allocates nothing per call; one instance belongs to one thread.
/// </summary>
internal sealed class Sampler
{
    /// <summary>Scores are handled in blocks that stay in the first-level cache; whole blocks are skipped where a bound allows.</summary>
    private const int BlockSize = 128;

    private readonly SamplingConfig _config;
    private readonly int _vocabulary;
    private readonly float[] _penalized;
    private readonly int[] _lastVisit;
    private int _visit;

    // exp((score - max) / temperature): the probabilities up to one factor, 0 where a token is dropped.
    private readonly float[] _weights;
    private readonly float[] _blockMax;
    private readonly double[] _blockSums;

    // Scratch of the partial selection.
    private readonly float[] _keys;
    private readonly float[] _masses;

    /// <summary>A sampler for one vocabulary and one configuration.</summary>
    public Sampler(SamplingConfig config, int vocabulary)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabulary);
        (_config, _vocabulary) = (config, vocabulary);
        bool penalizes = config.RepetitionPenalty != 1, selects = config.TopK > 0 || config.TopP < 1;
        int blocks = (vocabulary + BlockSize - 1) / BlockSize;
        _weights = new float[vocabulary];
        _blockMax = new float[blocks];
        _blockSums = new double[blocks];
        _penalized = penalizes ? new float[vocabulary] : [];
        _lastVisit = penalizes ? new int[vocabulary] : [];
        _keys = selects ? new float[vocabulary] : [];
        _masses = selects ? new float[vocabulary] : [];
    }

    /// <summary>Draws one token.</summary>
    /// <param name="logits">[vocabulary] next-token logits.</param>
    /// <param name="context">The ids before it, prompt included; read only by the repetition penalty.</param>
    /// <param name="uniform">A number in [0, 1).</param>
    /// <exception cref="R1Exception">A logit is NaN or +∞, or all are -∞.</exception>
    public SampledToken Sample(ReadOnlySpan<float> logits, ReadOnlySpan<int> context, double uniform)
    {
        if (_config.IsGreedy) return new SampledToken(ArgMax(Penalize(logits, context)), 0);
        var policy = Process(logits, context);
        int id = Pick(uniform);
        return new SampledToken(id, (float)((logits[id] - policy.Max) / _config.Temperature - Math.Log(policy.Total)));
    }

    /// <summary>[vocabulary] the probabilities that <see cref="Sample"/> draws from.</summary>
    internal void Probabilities(ReadOnlySpan<float> logits, ReadOnlySpan<int> context, Span<double> destination)
    {
        Process(logits, context);
        double total = Sum(_blockSums);
        for (int id = 0; id < _vocabulary; id++) destination[id] = _weights[id] / total;
    }

    /// <summary>Leaves the weights of the processed distribution in place; returns the unprocessed one's normalization.</summary>
    private (float Max, double Total) Process(ReadOnlySpan<float> logits, ReadOnlySpan<int> context)
    {
        var policy = Weigh(logits);
        var scores = logits;
        if (_config.RepetitionPenalty != 1)
        {
            scores = Penalize(logits, context);
            Weigh(scores);
        }
        if (_config.TopK > 0 && _config.TopK < _vocabulary) KeepTopK(scores, _config.TopK);
        if (_config.TopP < 1) KeepTopP(scores, _config.TopP);
        if (_config.MinP > 0) KeepMinP((float)_config.MinP);
        return policy;
    }

    /// <summary>The scores after the repetition penalty (CTRL, arXiv:1909.05858, section 4.1): each token seen before counts once.</summary>
    private ReadOnlySpan<float> Penalize(ReadOnlySpan<float> logits, ReadOnlySpan<int> context)
    {
        if (_config.RepetitionPenalty == 1) return logits;
        float penalty = (float)_config.RepetitionPenalty;
        logits.CopyTo(_penalized);
        _visit++;
        foreach (int id in context)
        {
            if (_lastVisit[id] == _visit) continue;
            _lastVisit[id] = _visit;
            _penalized[id] = _penalized[id] < 0 ? _penalized[id] * penalty : _penalized[id] / penalty;
        }
        return _penalized;
    }

    private (float Max, double Total) Weigh(ReadOnlySpan<float> scores)
    {
        float max = MaxByBlock(scores), inverseTemperature = (float)(1 / _config.Temperature);
        for (int block = 0; block < _blockSums.Length; block++)
        {
            var range = RangeOf(block);
            var weights = _weights.AsSpan(range);
            TensorPrimitives.Subtract(scores[range], max, weights);
            if (inverseTemperature != 1) TensorPrimitives.Multiply(weights, inverseTemperature, weights);
            TensorPrimitives.Exp<float>(weights, weights);
            _blockSums[block] = TensorPrimitives.Sum<float>(weights);
        }
        return (max, Sum(_blockSums));
    }

    private float MaxByBlock(ReadOnlySpan<float> scores)
    {
        if (scores.Length != _vocabulary)
            throw new ArgumentException($"{scores.Length} logits for a vocabulary of {_vocabulary}", nameof(scores));
        for (int block = 0; block < _blockMax.Length; block++) _blockMax[block] = TensorPrimitives.Max(scores[RangeOf(block)]);
        float max = TensorPrimitives.Max<float>(_blockMax);
        if (!float.IsFinite(max)) throw Unusable(max);
        return max;
    }

    /// <summary>The lowest id among the largest scores.</summary>
    private int ArgMax(ReadOnlySpan<float> scores)
    {
        float max = MaxByBlock(scores);
        int first = RangeOf(Array.FindIndex(_blockMax, value => value == max)).Start.Value;
        while (scores[first] != max) first++;
        return first;
    }

    /// <summary>Keeps the k best scores and all ties of the k-th.</summary>
    private void KeepTopK(ReadOnlySpan<float> scores, int k)
    {
        // The k best blocks hold k scores at least as large as the k-th best block maximum.
        float bound = float.NegativeInfinity;
        if (k <= _blockMax.Length)
        {
            _blockMax.CopyTo(_keys, 0);
            bound = SelectByCount(_blockMax.Length, k);
        }
        int count = 0;
        for (int block = 0; block < _blockMax.Length; block++)
        {
            if (_blockMax[block] < bound) continue;
            foreach (float score in scores[RangeOf(block)])
                if (score >= bound) _keys[count++] = score;
        }
        Drop(scores, SelectByCount(count, k), int.MaxValue);
    }

    /// <summary>The k-th largest of the first keys.</summary>
    private float SelectByCount(int count, int k)
    {
        _masses.AsSpan(0, count).Fill(1);
        return Quickselect.Descend(_keys.AsSpan(0, count), _masses.AsSpan(0, count), k).Key;
    }

    /// <summary>Keeps the smallest set whose probability reaches p (nucleus sampling, arXiv:1904.09751); among ties at its edge, the lowest ids.</summary>
    private void KeepTopP(ReadOnlySpan<float> scores, double p)
    {
        double total = Sum(_blockSums), target = p * total;
        // All tokens at or below an equal share of the dropped mass fit into it together; half of it leaves room for rounding.
        double negligible = (1 - p) * total / _vocabulary / 2;
        int count = 0;
        for (int block = 0; block < _blockSums.Length; block++)
        {
            if (_blockSums[block] <= negligible) continue;
            var (start, length) = RangeOf(block).GetOffsetAndLength(_vocabulary);
            for (int id = start; id < start + length; id++)
            {
                if (_weights[id] <= negligible) continue;
                (_keys[count], _masses[count]) = (scores[id], _weights[id]);
                count++;
            }
        }
        var cut = Quickselect.Descend(_keys.AsSpan(0, count), _masses.AsSpan(0, count), target);
        float weightOfTie = _weights[scores.IndexOf(cut.Key)];
        Drop(scores, cut.Key, Math.Max(1, (int)Math.Ceiling((target - cut.MassAbove) / weightOfTie)));
    }

    /// <summary>Keeps what is at least p times as likely as the most likely token (arXiv:2407.01082), whose weight is 1.</summary>
    private void KeepMinP(float p)
    {
        for (int block = 0; block < _blockSums.Length; block++)
        {
            if (_blockSums[block] == 0) continue;
            var weights = _weights.AsSpan(RangeOf(block));
            for (int i = 0; i < weights.Length; i++)
                if (weights[i] < p) weights[i] = 0;
            _blockSums[block] = TensorPrimitives.Sum<float>(weights);
        }
    }

    /// <summary>Drops all scores below the cut, and those equal to it after the first <paramref name="ties"/>.</summary>
    private void Drop(ReadOnlySpan<float> scores, float cut, int ties)
    {
        for (int block = 0; block < _blockSums.Length; block++)
        {
            var range = RangeOf(block);
            var weights = _weights.AsSpan(range);
            if (_blockMax[block] < cut)
            {
                weights.Clear();
                _blockSums[block] = 0;
                continue;
            }
            var blockScores = scores[range];
            for (int i = 0; i < weights.Length; i++)
                if (blockScores[i] < cut || (blockScores[i] == cut && ties-- <= 0)) weights[i] = 0;
            _blockSums[block] = TensorPrimitives.Sum<float>(weights);
        }
    }

    /// <summary>The first id, ascending, whose cumulative probability exceeds the uniform number; else the last possible one.</summary>
    private int Pick(double uniform)
    {
        double target = uniform * Sum(_blockSums), cumulative = 0;
        for (int block = 0; block < _blockSums.Length; block++)
        {
            if (cumulative + _blockSums[block] <= target)
            {
                cumulative += _blockSums[block];
                continue;
            }
            var (start, length) = RangeOf(block).GetOffsetAndLength(_vocabulary);
            for (int id = start; id < start + length; id++)
            {
                cumulative += _weights[id];
                if (cumulative > target) return id;
            }
        }
        return Array.FindLastIndex(_weights, weight => weight > 0);
    }

    private Range RangeOf(int block) => (block * BlockSize)..Math.Min((block + 1) * BlockSize, _vocabulary);

    private static double Sum(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double value in values) sum += value;
        return sum;
    }

    private static R1Exception Unusable(float max) => new(
        $"The model's next-token logits cannot be sampled: {(float.IsNaN(max) ? "some are NaN" : float.IsPositiveInfinity(max) ? "some are +∞" : "all are -∞")}. " +
        "The weights have diverged or were not read right; go back to an earlier checkpoint, or lower the learning rate.");
}
