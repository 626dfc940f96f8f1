using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>The live tokens of a micro-batch, sequence after sequence without padding, as the loss sees them.</summary>
internal sealed record LossTokens
{
    /// <summary>[token] log-probabilities under the policy; the gradient is taken with respect to them.</summary>
    public required Tensor LogProbs { get; init; }

    /// <summary>[token] entropy of the distribution each token was drawn from.</summary>
    public required Tensor Entropies { get; init; }

    /// <summary>[token] advantage times normalizer.</summary>
    public required Tensor Credit { get; init; }

    /// <summary>[token] share of the objective.</summary>
    public required Tensor Normalizer { get; init; }

    /// <summary>Which sequence each token belongs to.</summary>
    public required Segments Sequences { get; init; }

    /// <summary>[token] log-probabilities under the old policy; null: the policy's own, detached, so that every ratio is one.</summary>
    public Tensor? Old { get; init; }

    /// <summary>[token] log-probabilities under the reference model; null without KL.</summary>
    public Tensor? Reference { get; init; }

    /// <summary>[token] log-probabilities that the sampler reported; null where it is the old policy itself.</summary>
    public Tensor? Sampler { get; init; }
}

/// <summary>Sums and means over sequences of values that stand token after token.</summary>
internal sealed class Segments
{
    // Held: a number made for the call may be collected while LibTorch still reads it.
    private static readonly Scalar _one = 1;

    private readonly Tensor _index, _lengths;

    /// <param name="index">[token] int64, the sequence of each token.</param>
    /// <param name="count">Number of sequences, those without a token included.</param>
    /// <param name="dtype">Of the values to be summed.</param>
    public Segments(Tensor index, int count, ScalarType dtype)
    {
        (_index, Count) = (index, count);
        _lengths = Sum(ones(index.shape[0], dtype: dtype, device: index.device)).clamp(min: 1);
    }

    /// <summary>Number of sequences.</summary>
    public int Count { get; }

    /// <summary>Number of tokens.</summary>
    public long Tokens => _index.shape[0];

    /// <summary>[token] → [sequence]</summary>
    public Tensor Sum(Tensor values) => zeros(Count, dtype: values.dtype, device: values.device).index_add(0, _index, values, _one);

    /// <summary>[token] → [sequence]; 0 for a sequence without tokens.</summary>
    public Tensor Mean(Tensor values) => Sum(values) / _lengths;

    /// <summary>[sequence] → [token]</summary>
    public Tensor Spread(Tensor perSequence) => perSequence.index_select(0, _index);
}
