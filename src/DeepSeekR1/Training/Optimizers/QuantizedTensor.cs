using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// The 256 numbers of [-1, 1] or [0, 1] that 8 bits can name: seven decades, each next one with twice as many numbers, evenly spaced
/// (dynamic quantisation: Dettmers et al. 2021, arXiv 2110.02861, sections 1.3 and 2.2).
/// </summary>
internal sealed class DynamicCode : IDisposable
{
    private const int Decades = 7;

    private readonly Tensor _numbers, _boundaries;

    /// <param name="isSigned">Half of the numbers are negative.</param>
    /// <param name="dtype">Of the numbers.</param>
    /// <param name="device">Where they live.</param>
    public DynamicCode(bool isSigned, ScalarType dtype, Device device)
    {
        double[] numbers = [.. Numbers(isSigned)];
        double[] boundaries = [.. numbers.Zip(numbers.Skip(1), (low, high) => (low + high) / 2)];
        // What is not zero is never rounded to it: a zero would be divided by.
        if (!isSigned) boundaries[0] = 0;
        _numbers = tensor(numbers, dtype: dtype, device: device).DetachFromDisposeScope();
        _boundaries = tensor(boundaries, dtype: dtype, device: device).DetachFromDisposeScope();
    }

    /// <summary>Numbers in [-1, 1] → the codes of the nearest ones, uint8, same shape.</summary>
    public Tensor Encode(Tensor values) => bucketize(values, _boundaries, outInt32: true).to(ScalarType.Byte);

    /// <summary>Codes → numbers, same shape.</summary>
    public Tensor Decode(Tensor codes) => _numbers.index_select(0, codes.view(-1).to(ScalarType.Int32)).view(codes.shape);

    /// <inheritdoc/>
    public void Dispose()
    {
        _numbers.Dispose();
        _boundaries.Dispose();
    }

    /// <summary>All numbers, ascending.</summary>
    internal static IEnumerable<double> Numbers(bool isSigned)
    {
        var positive = Enumerable.Range(0, Decades).SelectMany(decade =>
        {
            int count = 1 << (isSigned ? decade : decade + 1);
            return Enumerable.Range(0, count).Select(i => (0.1 + 0.9 * (i + 0.5) / count) * Math.Pow(10, decade + 1 - Decades));
        }).ToList();
        return positive.Select(number => isSigned ? -number : 0).Distinct().Concat(isSigned ? [0] : []).Concat(positive).Append(1).Order();
    }
}

/// <summary>Numbers in 8 bits each, with one scale for every <see cref="Block"/> of them: their largest magnitude.</summary>
internal sealed class QuantizedTensor : IDisposable
{
    /// <summary>Numbers that share a scale.</summary>
    public const int Block = 256;

    /// <summary>What a block of zeros is divided by.</summary>
    private const double SmallestScale = 1e-37;

    private readonly DynamicCode _code;

    /// <summary>So many zeros.</summary>
    public QuantizedTensor(long count, DynamicCode code, ScalarType dtype, Device device)
    {
        _code = code;
        using var scope = NewDisposeScope();
        long blocks = (count + Block - 1) / Block;
        Codes = code.Encode(zeros(blocks * Block, dtype: dtype, device: device)).DetachFromDisposeScope();
        Scales = zeros(blocks, dtype: dtype, device: device).DetachFromDisposeScope();
    }

    /// <summary>[blocks * <see cref="Block"/>] uint8; what is behind the last number is zero.</summary>
    public Tensor Codes { get; }

    /// <summary>[blocks]</summary>
    public Tensor Scales { get; }

    /// <summary>Numbers from one on, at a block's beginning. [count]</summary>
    public Tensor Read(long start, long count)
    {
        var (first, blocks) = Blocks(start, count);
        var codes = Codes.narrow(0, start, blocks * Block).view(blocks, Block);
        return (_code.Decode(codes) * Scales.narrow(0, first, blocks).unsqueeze(1)).view(-1).narrow(0, 0, count);
    }

    /// <summary>Replaces numbers from one on, at a block's beginning.</summary>
    public void Write(long start, Tensor values)
    {
        var (first, blocks) = Blocks(start, values.numel());
        var padded = values.numel() == blocks * Block ? values : cat([values, zeros(blocks * Block - values.numel(), dtype: values.dtype, device: values.device)]);
        var rows = padded.view(blocks, Block);
        var scales = rows.abs().amax([1]);
        Scales.narrow(0, first, blocks).copy_(scales);
        Codes.narrow(0, start, blocks * Block).copy_(_code.Encode(rows / scales.clamp(min: SmallestScale).unsqueeze(1)).view(-1));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Codes.Dispose();
        Scales.Dispose();
    }

    private static (long First, long Blocks) Blocks(long start, long count) => (start / Block, (count + Block - 1) / Block);
}
