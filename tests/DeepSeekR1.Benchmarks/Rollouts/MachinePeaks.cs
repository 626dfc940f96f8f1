using DeepSeekR1.Rollouts.Cpu;
using static TorchSharp.torch;

namespace DeepSeekR1.Benchmarks.Rollouts;

/// <summary>What the machine can do at best: floating-point operations a second of LibTorch's large products, bytes a second read.</summary>
internal sealed record MachinePeaks(double Float32Flops, double Bfloat16Flops, double BytesPerSecond)
{
    private const int Runs = 7;

    /// <summary>Operations a second of the faster of the two: kernels may widen bfloat16 and compute in float32.</summary>
    public double Flops => Math.Max(Float32Flops, Bfloat16Flops);

    public static unsafe MachinePeaks Find(int threads)
    {
        const long bytes = 256L << 20;
        using var memory = new NativeBuffer(bytes);
        // Memory that was never written is one page of zeros, read from the nearest cache.
        new Span<byte>(memory.Pointer, (int)bytes).Fill(1);
        using var pool = new WorkerPool(threads);
        double Read() => Measure.Seconds(() => pool.RunTogether(team =>
        {
            var (first, end) = team.Share((int)(bytes >> 20));
            _sink = System.Numerics.Tensors.TensorPrimitives.Sum<float>(new ReadOnlySpan<float>(memory.Pointer + ((long)first << 20), (end - first) << 18));
        }));
        double[] seconds = Measure.Medians(Runs, () => Product(ScalarType.Float32), () => Product(ScalarType.BFloat16), Read);
        return new(2e9 / seconds[0], 2e9 / seconds[1], bytes / seconds[2]);
    }

    private static volatile float _sink;

    /// <summary>2e9 operations.</summary>
    private static double Product(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var left = ones([1000, 1000], dtype);
        return Measure.Seconds(() => nn.functional.linear(left, left));
    }

    public override string ToString() =>
        $"products {Float32Flops / 1e9:F0} GFLOP/s float32, {Bfloat16Flops / 1e9:F0} bfloat16; memory {BytesPerSecond / 1e9:F1} GB/s read";
}
