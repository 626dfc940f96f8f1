using DeepSeekR1.Rollouts.Cpu;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Benchmarks.Rollouts;

/// <summary>The decoder's matrix products at each vector width beside LibTorch's, by shape: billions of operations a second on all threads.</summary>
internal static class ProductBenchmark
{
    private const int Runs = 9;

    private static readonly int[] _rowCounts = [1, 8, 16, 32, 256];

    private static readonly (int Inner, int Columns)[] _products = [(576, 960), (576, 3072), (1536, 576), (576, 49_152)];

    /// <summary>The command: <c>[--threads N]</c>.</summary>
    public static void Run(string[] args) =>
        Run(TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = Options.Threads(args) }).Threads);

    public static void Run(int threads)
    {
        using var pool = new WorkerPool(threads);
        Console.WriteLine("\nproducts of SmolLM2-135M, GFLOP/s: LibTorch, then the decoder's kernels with weights in bfloat16 and in float32");
        Console.WriteLine("rows   weights        LibTorch bf16        f32   bf16: best   512 bits        256        128   f32: 512 bits");
        foreach (var (inner, columns) in _products)
        {
            foreach (int rows in _rowCounts)
            {
                using var noGrad = no_grad();
                using var scope = NewDisposeScope();
                double[] seconds = Measure.Medians(
                    Runs,
                    Torch(rows, inner, columns, ScalarType.BFloat16),
                    Torch(rows, inner, columns, ScalarType.Float32),
                    Own(pool, CpuKernels.Best, PanelType.Bfloat16, rows, inner, columns),
                    Own(pool, CpuKernels.OfWidth(512), PanelType.Bfloat16, rows, inner, columns),
                    Own(pool, CpuKernels.OfWidth(256), PanelType.Bfloat16, rows, inner, columns),
                    Own(pool, CpuKernels.OfWidth(128), PanelType.Bfloat16, rows, inner, columns),
                    Own(pool, CpuKernels.OfWidth(512), PanelType.Float32, rows, inner, columns));
                double[] speed = [.. seconds.Select(time => 2e-9 * rows * inner * columns / time)];
                Console.WriteLine($"{rows,4} {inner,5} x {columns,6} {speed[0],16:F0} {speed[1],10:F0} {speed[2],12:F0} {speed[3],10:F0} {speed[4],10:F0} {speed[5],10:F0} {speed[6],15:F0}");
            }
        }
    }

    private static Func<double> Torch(int rows, int inner, int columns, ScalarType dtype)
    {
        var left = ones([rows, inner], dtype);
        var right = ones([columns, inner], dtype);
        return () => Measure.Seconds(() =>
        {
            using var product = nn.functional.linear(left, right);
        });
    }

    private static unsafe Func<double> Own(WorkerPool pool, CpuKernels kernels, PanelType type, int rows, int inner, int columns)
    {
        int panels = 2 * Panel.Count(columns, 2 * kernels.Width);
        nint stride = (nint)inner * kernels.Width * Panel.ElementBytes(type);
        var memory = new NativeBuffer(stride * panels);
        var (left, result) = (NativeBuffer.OfFloats((long)rows * inner), NativeBuffer.OfFloats((long)rows * columns));
        var right = new Panels((nint)memory.Pointer, stride, inner, columns, type, Together: 2);
        return () =>
        {
            double seconds = Measure.Seconds(() => pool.RunTogether(team =>
            {
                foreach (var share in ProductShare.Of(team, rows, panels, ForwardPass.ChunkRows))
                {
                    kernels.MultiplyWeights(
                        share.Slice(new Rows((nint)left.Floats, inner, rows)), right, share.FirstPanel, share.EndPanel,
                        share.Slice(new Rows((nint)result.Floats, columns, rows)));
                }
            }));
            GC.KeepAlive(memory);
            return seconds;
        };
    }
}
