using System.Numerics;
using System.Numerics.Tensors;

namespace DeepSeekR1.Rollouts;

/// <summary>What turns scores into log-probabilities.</summary>
/// <param name="Max">The largest score.</param>
/// <param name="Total">Σ exp((score - max) / temperature).</param>
/// <param name="Temperature">What the scores are divided by.</param>
internal readonly record struct SoftmaxNormalizer(float Max, double Total, double Temperature)
{
    public float LogProb(float score) => (float)(((score - Max) / Temperature) - Math.Log(Total));
}

/// <summary>
/// Probabilities over a vocabulary up to one factor, from which the unlikely can be dropped and one token drawn. Nothing is sorted and
/// nothing allocated after construction.
/// </summary>
internal sealed class TokenDistribution
{
    /// <summary>Scores are handled in blocks that stay in the first-level cache; whole blocks are skipped where a bound allows.</summary>
    private const int BlockSize = 128;

    /// <summary>Weights lie in [0, 1]; those that share sign, exponent and the first three bits of the mantissa share a bucket.</summary>
    private const int BucketShift = 20;
    private const int Buckets = (0x3F800000 >> BucketShift) + 1;

    private readonly int _vocabulary;

    // exp((score - max) / temperature), 0 where a token is dropped; the sums of its blocks, and the largest score of each.
    private readonly float[] _weights;
    private readonly double[] _blockSums;
    private readonly float[] _blockMax;

    // Scratch of the partial selections.
    private readonly float[] _keys;
    private readonly float[] _masses;
    private readonly double[] _bucketSums = new double[Buckets];

    /// <summary>Room for a vocabulary of this size.</summary>
    public TokenDistribution(int vocabulary)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabulary);
        int blocks = (vocabulary + BlockSize - 1) / BlockSize;
        _vocabulary = vocabulary;
        _weights = new float[vocabulary];
        _blockSums = new double[blocks];
        _blockMax = new float[blocks];
        _keys = new float[vocabulary];
        _masses = new float[vocabulary];
    }

    /// <summary>Starts from all scores; returns what normalizes them.</summary>
    /// <exception cref="R1Exception">A score is NaN or +∞, or all are -∞.</exception>
    public SoftmaxNormalizer Weigh(ReadOnlySpan<float> scores, double temperature)
    {
        float max = MaxByBlock(scores), inverseTemperature = (float)(1 / temperature);
        for (int block = 0; block < _blockSums.Length; block++)
        {
            var range = RangeOf(block);
            var weights = _weights.AsSpan(range);
            TensorPrimitives.Subtract(scores[range], max, weights);
            if (inverseTemperature != 1) TensorPrimitives.Multiply(weights, inverseTemperature, weights);
            TensorPrimitives.Exp<float>(weights, weights);
            _blockSums[block] = TensorPrimitives.Sum<float>(weights);
        }
        return new SoftmaxNormalizer(max, Sum(_blockSums), temperature);
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
    /// <exception cref="R1Exception">A score is NaN or +∞, or all are -∞.</exception>
    public int ArgMax(ReadOnlySpan<float> scores)
    {
        float max = MaxByBlock(scores);
        int block = 0;
        while (_blockMax[block] != max) block++;
        int id = block * BlockSize;
        while (scores[id] != max) id++;
        return id;
    }

    /// <summary>Keeps the k best scores and all ties of the k-th.</summary>
    public void KeepTopK(ReadOnlySpan<float> scores, int k)
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
        Drop(scores, SelectByCount(count, k));
    }

    /// <summary>The k-th largest of the first keys.</summary>
    private float SelectByCount(int count, int k)
    {
        _masses.AsSpan(0, count).Fill(1);
        return Quickselect.Descend(_keys.AsSpan(0, count), _masses.AsSpan(0, count), k).Key;
    }

    /// <summary>Keeps the smallest set whose probability reaches p (nucleus sampling, arXiv:1904.09751); among ties at its edge, the lowest ids.</summary>
    public void KeepTopP(ReadOnlySpan<float> scores, double p)
    {
        Array.Clear(_bucketSums);
        for (int block = 0; block < _blockSums.Length; block++)
        {
            if (_blockSums[block] == 0) continue;
            foreach (float weight in _weights.AsSpan(RangeOf(block))) _bucketSums[BucketOf(weight)] += weight;
        }
        double target = p * Sum(_bucketSums), above = 0;
        int bucket = BucketOf(1);
        while (bucket > 0 && above + _bucketSums[bucket] < target) above += _bucketSums[bucket--];

        int count = 0;
        for (int id = 0; id < _vocabulary; id++)
        {
            if (BucketOf(_weights[id]) != bucket) continue;
            (_keys[count], _masses[count]) = (scores[id], _weights[id]);
            count++;
        }
        var cut = Quickselect.Descend(_keys.AsSpan(0, count), _masses.AsSpan(0, count), target - above);
        Drop(scores, cut.Key);
        double tiesNeeded = Math.Max(1, Math.Ceiling((target - above - cut.MassAbove) / cut.Mass));
        if (tiesNeeded < cut.Ties) DropTies(scores, cut.Key, (int)tiesNeeded);
    }

    private static int BucketOf(float weight) => BitConverter.SingleToInt32Bits(weight) >> BucketShift;

    /// <summary>Keeps what is at least p times as likely as the most likely token (arXiv:2407.01082), whose weight is 1.</summary>
    public void KeepMinP(float p)
    {
        for (int block = 0; block < _blockSums.Length; block++)
        {
            if (_blockSums[block] == 0) continue;
            var weights = _weights.AsSpan(RangeOf(block));
            ClearWhereBelow(weights, weights, p);
            _blockSums[block] = TensorPrimitives.Sum<float>(weights);
        }
    }

    /// <summary>Drops all scores below the cut.</summary>
    private void Drop(ReadOnlySpan<float> scores, float cut)
    {
        for (int block = 0; block < _blockSums.Length; block++)
        {
            var range = RangeOf(block);
            var weights = _weights.AsSpan(range);
            if (_blockMax[block] < cut) weights.Clear();
            else ClearWhereBelow(weights, scores[range], cut);
            _blockSums[block] = TensorPrimitives.Sum<float>(weights);
        }
    }

    /// <summary>Drops the scores that equal the cut after the first <paramref name="kept"/>.</summary>
    private void DropTies(ReadOnlySpan<float> scores, float cut, int kept)
    {
        for (int block = 0; block < _blockSums.Length; block++)
        {
            if (_blockMax[block] < cut) continue;
            var (start, length) = RangeOf(block).GetOffsetAndLength(_vocabulary);
            for (int id = start; id < start + length; id++)
                if (scores[id] == cut && kept-- <= 0) _weights[id] = 0;
            _blockSums[block] = TensorPrimitives.Sum<float>(_weights.AsSpan(start, length));
        }
    }

    private static void ClearWhereBelow(Span<float> weights, ReadOnlySpan<float> keys, float bound)
    {
        int i = 0;
        for (; i <= weights.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var isBelow = Vector.LessThan(new Vector<float>(keys[i..]), new Vector<float>(bound));
            Vector.ConditionalSelect(isBelow, Vector<float>.Zero, new Vector<float>(weights[i..])).CopyTo(weights[i..]);
        }
        for (; i < weights.Length; i++)
            if (keys[i] < bound) weights[i] = 0;
    }

    /// <summary>The first id, ascending, whose cumulative probability exceeds the uniform number; else the last possible one.</summary>
    public int Pick(double uniform)
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

    /// <summary>[vocabulary] the normalized probabilities.</summary>
    public void CopyTo(Span<double> probabilities)
    {
        double total = Sum(_blockSums);
        for (int id = 0; id < _vocabulary; id++) probabilities[id] = _weights[id] / total;
    }

    private Range RangeOf(int block) => (block * BlockSize)..Math.Min((block + 1) * BlockSize, _vocabulary);

    private static double Sum(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double value in values) sum += value;
        return sum;
    }

    internal static R1Exception Unusable(float max) => new(
        $"The model's next-token logits cannot be sampled: {(float.IsNaN(max) ? "some are NaN" : float.IsPositiveInfinity(max) ? "some are +∞" : "all are -∞")}. " +
        "The weights have diverged or were not read right; go back to an earlier checkpoint, or lower the learning rate.");
}
