using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using DeepSeekR1.Vectors;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>
/// Matrix product with the right-hand side in panels. A tile of results lives in registers while the inner dimension runs once from
/// its first to its last index, so that each result is a single chain of fused multiply-adds whatever the tile's shape.
/// </summary>
internal static unsafe class MatrixKernel<TSimd, TVector, TElement>
    where TSimd : struct, ISimd<TVector>
    where TVector : unmanaged
    where TElement : struct, IPanelElement<TSimd, TVector>
{
    public static void Multiply(Rows left, in Panels right, int firstPanel, int endPanel, Rows result, Epilogue epilogue)
    {
        if (left.Count == 1)
        {
            for (int panel = firstPanel; panel < endPanel; panel += 4) OneRow(left, right, panel, endPanel, result, epilogue);
            return;
        }
        bool hasManyRegisters = TSimd.Registers >= 32;
        for (int panel = firstPanel; panel < endPanel; panel += 2)
        {
            int row = 0;
            if (hasManyRegisters)
            {
                for (; left.Count - row > 4; row += 8) EightRows(left, right, row, panel, endPanel, result, epilogue);
            }
            for (; row < left.Count; row += 4) FourRows(left, right, row, panel, endPanel, result, epilogue);
        }
    }

    /// <summary>Eight rows by two panels: sixteen accumulators. Missing rows repeat the last one, a missing panel the first.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightRows(Rows left, in Panels right, int row, int panel, int endPanel, Rows result, Epilogue epilogue)
    {
        int last = left.Count - 1;
        float* x0 = left[row], x1 = left[Math.Min(row + 1, last)], x2 = left[Math.Min(row + 2, last)], x3 = left[Math.Min(row + 3, last)];
        float* x4 = left[Math.Min(row + 4, last)], x5 = left[Math.Min(row + 5, last)], x6 = left[Math.Min(row + 6, last)], x7 = left[Math.Min(row + 7, last)];
        byte* p = right[panel, TElement.PairBytes];
        nint other = panel + 1 < endPanel ? (nint)(right[panel + 1, TElement.PairBytes] - p) : 0;
        nint step = right.Step(TElement.PairBytes), ahead = 2 * right.Stride, inner = right.Inner;
        TVector a0 = TSimd.Create(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0;
        TVector b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0, b6 = a0, b7 = a0;
        for (nint k = 0; k < inner; k += 2)
        {
            TElement.LoadPair(p, out var evenA, out var oddA);
            TElement.LoadPair(p + other, out var evenB, out var oddB);
            Prefetch(p + ahead);
            Prefetch(p + ahead + other);
            p += step;
            var x = TSimd.Create(x0[k]);
            a0 = TSimd.FusedMultiplyAdd(evenA, x, a0);
            b0 = TSimd.FusedMultiplyAdd(evenB, x, b0);
            x = TSimd.Create(x1[k]);
            a1 = TSimd.FusedMultiplyAdd(evenA, x, a1);
            b1 = TSimd.FusedMultiplyAdd(evenB, x, b1);
            x = TSimd.Create(x2[k]);
            a2 = TSimd.FusedMultiplyAdd(evenA, x, a2);
            b2 = TSimd.FusedMultiplyAdd(evenB, x, b2);
            x = TSimd.Create(x3[k]);
            a3 = TSimd.FusedMultiplyAdd(evenA, x, a3);
            b3 = TSimd.FusedMultiplyAdd(evenB, x, b3);
            x = TSimd.Create(x4[k]);
            a4 = TSimd.FusedMultiplyAdd(evenA, x, a4);
            b4 = TSimd.FusedMultiplyAdd(evenB, x, b4);
            x = TSimd.Create(x5[k]);
            a5 = TSimd.FusedMultiplyAdd(evenA, x, a5);
            b5 = TSimd.FusedMultiplyAdd(evenB, x, b5);
            x = TSimd.Create(x6[k]);
            a6 = TSimd.FusedMultiplyAdd(evenA, x, a6);
            b6 = TSimd.FusedMultiplyAdd(evenB, x, b6);
            x = TSimd.Create(x7[k]);
            a7 = TSimd.FusedMultiplyAdd(evenA, x, a7);
            b7 = TSimd.FusedMultiplyAdd(evenB, x, b7);
            x = TSimd.Create(x0[k + 1]);
            a0 = TSimd.FusedMultiplyAdd(oddA, x, a0);
            b0 = TSimd.FusedMultiplyAdd(oddB, x, b0);
            x = TSimd.Create(x1[k + 1]);
            a1 = TSimd.FusedMultiplyAdd(oddA, x, a1);
            b1 = TSimd.FusedMultiplyAdd(oddB, x, b1);
            x = TSimd.Create(x2[k + 1]);
            a2 = TSimd.FusedMultiplyAdd(oddA, x, a2);
            b2 = TSimd.FusedMultiplyAdd(oddB, x, b2);
            x = TSimd.Create(x3[k + 1]);
            a3 = TSimd.FusedMultiplyAdd(oddA, x, a3);
            b3 = TSimd.FusedMultiplyAdd(oddB, x, b3);
            x = TSimd.Create(x4[k + 1]);
            a4 = TSimd.FusedMultiplyAdd(oddA, x, a4);
            b4 = TSimd.FusedMultiplyAdd(oddB, x, b4);
            x = TSimd.Create(x5[k + 1]);
            a5 = TSimd.FusedMultiplyAdd(oddA, x, a5);
            b5 = TSimd.FusedMultiplyAdd(oddB, x, b5);
            x = TSimd.Create(x6[k + 1]);
            a6 = TSimd.FusedMultiplyAdd(oddA, x, a6);
            b6 = TSimd.FusedMultiplyAdd(oddB, x, b6);
            x = TSimd.Create(x7[k + 1]);
            a7 = TSimd.FusedMultiplyAdd(oddA, x, a7);
            b7 = TSimd.FusedMultiplyAdd(oddB, x, b7);
        }
        Tile tile;
        TSimd.Store(a0, tile.Values);
        TSimd.Store(b0, tile.Values + TSimd.Width);
        TSimd.Store(a1, tile.Values + 2 * TSimd.Width);
        TSimd.Store(b1, tile.Values + 3 * TSimd.Width);
        TSimd.Store(a2, tile.Values + 4 * TSimd.Width);
        TSimd.Store(b2, tile.Values + 5 * TSimd.Width);
        TSimd.Store(a3, tile.Values + 6 * TSimd.Width);
        TSimd.Store(b3, tile.Values + 7 * TSimd.Width);
        TSimd.Store(a4, tile.Values + 8 * TSimd.Width);
        TSimd.Store(b4, tile.Values + 9 * TSimd.Width);
        TSimd.Store(a5, tile.Values + 10 * TSimd.Width);
        TSimd.Store(b5, tile.Values + 11 * TSimd.Width);
        TSimd.Store(a6, tile.Values + 12 * TSimd.Width);
        TSimd.Store(b6, tile.Values + 13 * TSimd.Width);
        TSimd.Store(a7, tile.Values + 14 * TSimd.Width);
        TSimd.Store(b7, tile.Values + 15 * TSimd.Width);
        Finish(tile.Values, row, Math.Min(row + 8, left.Count), panel, Math.Min(panel + 2, endPanel), right.Columns, result, epilogue);
    }

    /// <summary>Four rows by two panels, for few rows and for machines with sixteen registers.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows(Rows left, in Panels right, int row, int panel, int endPanel, Rows result, Epilogue epilogue)
    {
        int last = left.Count - 1;
        float* x0 = left[row], x1 = left[Math.Min(row + 1, last)], x2 = left[Math.Min(row + 2, last)], x3 = left[Math.Min(row + 3, last)];
        byte* p = right[panel, TElement.PairBytes];
        nint other = panel + 1 < endPanel ? (nint)(right[panel + 1, TElement.PairBytes] - p) : 0;
        nint step = right.Step(TElement.PairBytes), ahead = 2 * right.Stride, inner = right.Inner;
        TVector a0 = TSimd.Create(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        for (nint k = 0; k < inner; k += 2)
        {
            TElement.LoadPair(p, out var evenA, out var oddA);
            TElement.LoadPair(p + other, out var evenB, out var oddB);
            Prefetch(p + ahead);
            Prefetch(p + ahead + other);
            p += step;
            var x = TSimd.Create(x0[k]);
            a0 = TSimd.FusedMultiplyAdd(evenA, x, a0);
            b0 = TSimd.FusedMultiplyAdd(evenB, x, b0);
            x = TSimd.Create(x1[k]);
            a1 = TSimd.FusedMultiplyAdd(evenA, x, a1);
            b1 = TSimd.FusedMultiplyAdd(evenB, x, b1);
            x = TSimd.Create(x2[k]);
            a2 = TSimd.FusedMultiplyAdd(evenA, x, a2);
            b2 = TSimd.FusedMultiplyAdd(evenB, x, b2);
            x = TSimd.Create(x3[k]);
            a3 = TSimd.FusedMultiplyAdd(evenA, x, a3);
            b3 = TSimd.FusedMultiplyAdd(evenB, x, b3);
            x = TSimd.Create(x0[k + 1]);
            a0 = TSimd.FusedMultiplyAdd(oddA, x, a0);
            b0 = TSimd.FusedMultiplyAdd(oddB, x, b0);
            x = TSimd.Create(x1[k + 1]);
            a1 = TSimd.FusedMultiplyAdd(oddA, x, a1);
            b1 = TSimd.FusedMultiplyAdd(oddB, x, b1);
            x = TSimd.Create(x2[k + 1]);
            a2 = TSimd.FusedMultiplyAdd(oddA, x, a2);
            b2 = TSimd.FusedMultiplyAdd(oddB, x, b2);
            x = TSimd.Create(x3[k + 1]);
            a3 = TSimd.FusedMultiplyAdd(oddA, x, a3);
            b3 = TSimd.FusedMultiplyAdd(oddB, x, b3);
        }
        Tile tile;
        TSimd.Store(a0, tile.Values);
        TSimd.Store(b0, tile.Values + TSimd.Width);
        TSimd.Store(a1, tile.Values + 2 * TSimd.Width);
        TSimd.Store(b1, tile.Values + 3 * TSimd.Width);
        TSimd.Store(a2, tile.Values + 4 * TSimd.Width);
        TSimd.Store(b2, tile.Values + 5 * TSimd.Width);
        TSimd.Store(a3, tile.Values + 6 * TSimd.Width);
        TSimd.Store(b3, tile.Values + 7 * TSimd.Width);
        Finish(tile.Values, row, Math.Min(row + 4, left.Count), panel, Math.Min(panel + 2, endPanel), right.Columns, result, epilogue);
    }

    /// <summary>One row by four panels: bound by the speed at which the panels arrive from memory. Missing panels repeat the last one.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(Rows left, in Panels right, int panel, int endPanel, Rows result, Epilogue epilogue)
    {
        float* x = left[0];
        int last = endPanel - 1;
        byte* p0 = right[panel, TElement.PairBytes], p1 = right[Math.Min(panel + 1, last), TElement.PairBytes];
        byte* p2 = right[Math.Min(panel + 2, last), TElement.PairBytes], p3 = right[Math.Min(panel + 3, last), TElement.PairBytes];
        TVector a0 = TSimd.Create(0), a1 = a0, a2 = a0, a3 = a0;
        nint offset = 0, step = right.Step(TElement.PairBytes), inner = right.Inner;
        for (nint k = 0; k < inner; k += 2, offset += step)
        {
            TElement.LoadPair(p0 + offset, out var even0, out var odd0);
            TElement.LoadPair(p1 + offset, out var even1, out var odd1);
            TElement.LoadPair(p2 + offset, out var even2, out var odd2);
            TElement.LoadPair(p3 + offset, out var even3, out var odd3);
            var even = TSimd.Create(x[k]);
            a0 = TSimd.FusedMultiplyAdd(even0, even, a0);
            a1 = TSimd.FusedMultiplyAdd(even1, even, a1);
            a2 = TSimd.FusedMultiplyAdd(even2, even, a2);
            a3 = TSimd.FusedMultiplyAdd(even3, even, a3);
            var odd = TSimd.Create(x[k + 1]);
            a0 = TSimd.FusedMultiplyAdd(odd0, odd, a0);
            a1 = TSimd.FusedMultiplyAdd(odd1, odd, a1);
            a2 = TSimd.FusedMultiplyAdd(odd2, odd, a2);
            a3 = TSimd.FusedMultiplyAdd(odd3, odd, a3);
        }
        Tile tile;
        TSimd.Store(a0, tile.Values);
        TSimd.Store(a1, tile.Values + TSimd.Width);
        TSimd.Store(a2, tile.Values + 2 * TSimd.Width);
        TSimd.Store(a3, tile.Values + 3 * TSimd.Width);
        Finish(tile.Values, 0, 1, panel, Math.Min(panel + 4, endPanel), right.Columns, result, epilogue);
    }

    /// <summary>Asks for what the next panels hold, while there is arithmetic to do; weights of large models lie in no cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* address)
    {
        if (Sse.IsSupported) Sse.Prefetch1(address);
    }

    /// <summary>
    /// Moves the results of some panels, row by row in <paramref name="tile"/>, to where they belong. Several rows have two panels each.
    /// Kept apart from the tiles' loops, because a call while the accumulators are alive would make the JIT hold them on the stack.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Finish(float* tile, int row, int endRow, int panel, int endPanel, int allColumns, Rows result, Epilogue epilogue)
    {
        int column = panel * TSimd.Width, columns = Math.Min((endPanel - panel) * TSimd.Width, allColumns - column);
        float* bias = epilogue.Bias == 0 ? null : (float*)epilogue.Bias + column;
        for (; row < endRow; row++, tile += 2 * TSimd.Width)
        {
            float* destination = result[row] + column;
            int i = 0;
            for (; i + TSimd.Width <= columns; i += TSimd.Width)
            {
                TVector value = TSimd.Load(tile + i);
                if (bias is not null) value = TSimd.Add(value, TSimd.Load(bias + i));
                if (epilogue.Add) value = TSimd.Add(value, TSimd.Load(destination + i));
                TSimd.Store(value, destination + i);
            }
            for (; i < columns; i++)
            {
                float value = bias is null ? tile[i] : tile[i] + bias[i];
                destination[i] = epilogue.Add ? value + destination[i] : value;
            }
        }
    }

    /// <summary>Results of eight rows in two panels of the widest vectors.</summary>
    private struct Tile
    {
        public fixed float Values[8 * 2 * 16];
    }
}
