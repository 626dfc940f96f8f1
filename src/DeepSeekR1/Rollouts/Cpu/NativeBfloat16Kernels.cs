using System.Runtime.Intrinsics;
using DeepSeekR1.Runtime;
using DeepSeekR1.Vectors;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>
/// Products with bfloat16 weights, keys and values by the processor's own bfloat16 instructions (<see cref="NativeProduct"/>). Activations,
/// queries and the softmax's results are rounded to bfloat16; sums are float32, one chain over the inner dimension whatever the number of rows.
/// </summary>
internal sealed unsafe class NativeBfloat16Kernels : CpuKernels<Simd512, Vector512<float>>
{
    /// <summary>
    /// Inner rows and rows of products with the cache at a time. oneDNN makes a kernel for each shape and each stride and keeps it, so that there
    /// must be few of them, however long sequences are and however many live.
    /// </summary>
    private const int InnerTile = 128, RowTile = 32, RowStep = 8;

    [ThreadStatic]
    private static NativeBuffer? _narrowed;

    public override bool TakeCacheTogether(PanelType type) => type == PanelType.Bfloat16;

    public override void MultiplyCache(Rows left, in Panels right, Rows result, bool add = false)
    {
        if (right.Type != PanelType.Bfloat16)
        {
            base.MultiplyCache(left, right, result, add);
            return;
        }
        int inner = (right.Inner + 1) / 2 * 2, panels = Panel.Count(right.Columns, Width), pairBytes = Panel.PairBytes(right.Type, Width);
        for (int first = 0; first < inner; first += InnerTile)
        {
            int depth = Math.Min(InnerTile, inner - first);
            ushort* narrowed = Narrow(left with { Data = left.Data + first * sizeof(float) }, depth, InnerTile);
            for (int panel = 0; panel < panels; panel += right.Together)
            {
                int columns = Math.Min(right.Together, panels - panel) * Width;
                uint* pairs = (uint*)(right[panel, pairBytes] + first / 2 * right.Step(pairBytes));
                for (int row = 0, count; row < left.Count; row += count)
                {
                    int rest = left.Count - row;
                    count = rest < RowStep ? rest : Math.Min(RowTile, rest / RowStep * RowStep);
                    NativeProduct.Multiply(count, columns, depth, InnerTile, right.Together * Width, result.Stride, add || first > 0, narrowed + row * InnerTile, pairs, result[row] + panel * Width);
                }
            }
        }
        NativeProduct.Release();
    }

    public override void MultiplyWeights(Rows left, in Panels right, int firstPanel, int endPanel, Rows result, Epilogue epilogue = default)
    {
        if (right.Type != PanelType.Bfloat16)
        {
            base.MultiplyWeights(left, right, firstPanel, endPanel, result, epilogue);
            return;
        }
        int inner = (right.Inner + 1) / 2 * 2, pair = 2 * Width;
        ushort* narrowed = Narrow(left, inner, inner);
        for (int panel = firstPanel; panel < endPanel; panel += 2)
        {
            float* columns = (float*)result.Data + panel * Width;
            NativeProduct.Multiply(left.Count, pair, inner, inner, pair, result.Stride, epilogue.Add, narrowed, (uint*)right[panel, Panel.PairBytes(right.Type, Width)], columns);
            if (epilogue.Bias != 0) AddBias((float*)epilogue.Bias + panel * Width, result with { Data = (nint)columns });
        }
        NativeProduct.Release();
    }

    /// <summary>The first numbers of each row, rounded to bfloat16, so many apart.</summary>
    private static ushort* Narrow(Rows rows, int count, int stride)
    {
        long bytes = (long)rows.Count * stride * sizeof(ushort);
        if (_narrowed is null || _narrowed.Bytes < bytes)
        {
            _narrowed?.Dispose();
            _narrowed = new NativeBuffer(bytes, onHugePages: false);
        }
        ushort* narrowed = (ushort*)_narrowed.Pointer;
        for (int row = 0; row < rows.Count; row++) Bfloat16.Round(rows[row], narrowed + (nint)row * stride, count);
        return narrowed;
    }

    private static void AddBias(float* bias, Rows result)
    {
        var (low, high) = (Vector512.Load(bias), Vector512.Load(bias + Vector512<float>.Count));
        for (int row = 0; row < result.Count; row++)
        {
            float* columns = result[row];
            (Vector512.Load(columns) + low).Store(columns);
            (Vector512.Load(columns + Vector512<float>.Count) + high).Store(columns + Vector512<float>.Count);
        }
    }
}
