using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// AdamW's moments of one parameter in 8 bits each (block-wise: Dettmers et al. 2021, arXiv 2110.02861, section 2.1). The second moment is kept as its
/// root, which spans half the decades: what is small beside the block's largest keeps its step size.
/// </summary>
internal sealed class EightBitMoments : IDisposable
{
    /// <summary>Numbers that are widened at a time; a multiple of a block.</summary>
    private const long Chunk = 1 << 20;

    /// <summary>Smaller parameters keep moments of single precision.</summary>
    public const long SmallestParameter = 4096;

    /// <summary>[numbers] means of gradients.</summary>
    public QuantizedTensor Means { get; }

    /// <summary>[numbers] roots of the mean squares of gradients.</summary>
    public QuantizedTensor Roots { get; }

    public EightBitMoments(Tensor weights, DynamicCode signed, DynamicCode unsigned)
    {
        Means = new QuantizedTensor(weights.numel(), signed, weights.dtype, weights.device);
        Roots = new QuantizedTensor(weights.numel(), unsigned, weights.dtype, weights.device);
    }

    /// <summary>One step of a parameter and its moments.</summary>
    public void Step(Tensor weights, Tensor gradient, long step, double divisor, double learningRate, double weightDecay, OptimizerConfig config)
    {
        var (flatWeights, flatGradient) = (weights.view(-1), gradient.view(-1));
        for (long start = 0; start < flatWeights.shape[0]; start += Chunk)
        {
            using var scope = NewDisposeScope();
            long count = Math.Min(Chunk, flatWeights.shape[0] - start);
            Tensor means = Means.Read(start, count), roots = Roots.Read(start, count), squares = roots * roots;
            FusedAdamW.Step([flatWeights.narrow(0, start, count)], [flatGradient.narrow(0, start, count)], [means], [squares], step, divisor, learningRate, weightDecay, config);
            Means.Write(start, means);
            Roots.Write(start, squares.sqrt_());
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Means.Dispose();
        Roots.Dispose();
    }
}
