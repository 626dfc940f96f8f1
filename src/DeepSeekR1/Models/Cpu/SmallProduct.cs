using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeepSeekR1.Models.Cpu;

/// <summary>Products of matrices that fit into the caches, in float32.</summary>
internal static unsafe class SmallProduct
{
    private const int TileRows = 4, TileColumns = 4 * Lanes.Width;

    /// <summary>C (+)= A B.</summary>
    /// <param name="a">A [rows, inner], with steps of its own, so that it may be the transpose of what lies in memory.</param>
    /// <param name="aRow">From one row of A to the next.</param>
    /// <param name="aInner">From one column of A to the next.</param>
    /// <param name="b">B [inner, columns].</param>
    /// <param name="bRow">From one row of B to the next.</param>
    /// <param name="c">C [rows, columns].</param>
    /// <param name="cRow">From one row of C to the next.</param>
    /// <param name="rows">Rows of A and C.</param>
    /// <param name="inner">Columns of A, rows of B.</param>
    /// <param name="columns">Columns of B and C, a multiple of the vectors' width.</param>
    /// <param name="isAdded">Adds to C instead of overwriting it.</param>
    public static void Multiply(float* a, nint aRow, nint aInner, float* b, nint bRow, float* c, nint cRow, int rows, int inner, int columns, bool isAdded)
    {
        int column = 0;
        for (; column + TileColumns <= columns; column += TileColumns)
            for (int row = 0; row < rows; row += TileRows)
                Wide(a + row * aRow, aRow, aInner, b + column, bRow, c + row * cRow + column, cRow, Math.Min(TileRows, rows - row) - 1, inner, isAdded);
        for (; column < columns; column += Lanes.Width)
            for (int row = 0; row < rows; row += TileRows)
                Narrow(a + row * aRow, aRow, aInner, b + column, bRow, c + row * cRow + column, cRow, Math.Min(TileRows, rows - row) - 1, inner, isAdded);
    }

    // A tile with fewer rows than four computes its last one several times over, and writes the same numbers to it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Wide(float* a, nint aRow, nint aInner, float* b, nint bRow, float* c, nint cRow, int lastRow, int inner, bool isAdded)
    {
        nint row1 = Math.Min(1, lastRow), row2 = Math.Min(2, lastRow), row3 = lastRow;
        float* a1 = a + row1 * aRow, a2 = a + row2 * aRow, a3 = a + row3 * aRow;
        float* c1 = c + row1 * cRow, c2 = c + row2 * cRow, c3 = c + row3 * cRow;
        Vector512<float> c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33;
        if (isAdded)
        {
            (c00, c01, c02, c03) = (Vector512.Load(c), Vector512.Load(c + 16), Vector512.Load(c + 32), Vector512.Load(c + 48));
            (c10, c11, c12, c13) = (Vector512.Load(c1), Vector512.Load(c1 + 16), Vector512.Load(c1 + 32), Vector512.Load(c1 + 48));
            (c20, c21, c22, c23) = (Vector512.Load(c2), Vector512.Load(c2 + 16), Vector512.Load(c2 + 32), Vector512.Load(c2 + 48));
            (c30, c31, c32, c33) = (Vector512.Load(c3), Vector512.Load(c3 + 16), Vector512.Load(c3 + 32), Vector512.Load(c3 + 48));
        }
        else
        {
            c00 = c01 = c02 = c03 = c10 = c11 = c12 = c13 = c20 = c21 = c22 = c23 = c30 = c31 = c32 = c33 = Vector512<float>.Zero;
        }
        for (int k = 0; k < inner; k++)
        {
            var (b0, b1, b2, b3) = (Vector512.Load(b), Vector512.Load(b + 16), Vector512.Load(b + 32), Vector512.Load(b + 48));
            var x = Vector512.Create(*a);
            c00 = Vector512.FusedMultiplyAdd(x, b0, c00);
            c01 = Vector512.FusedMultiplyAdd(x, b1, c01);
            c02 = Vector512.FusedMultiplyAdd(x, b2, c02);
            c03 = Vector512.FusedMultiplyAdd(x, b3, c03);
            x = Vector512.Create(*a1);
            c10 = Vector512.FusedMultiplyAdd(x, b0, c10);
            c11 = Vector512.FusedMultiplyAdd(x, b1, c11);
            c12 = Vector512.FusedMultiplyAdd(x, b2, c12);
            c13 = Vector512.FusedMultiplyAdd(x, b3, c13);
            x = Vector512.Create(*a2);
            c20 = Vector512.FusedMultiplyAdd(x, b0, c20);
            c21 = Vector512.FusedMultiplyAdd(x, b1, c21);
            c22 = Vector512.FusedMultiplyAdd(x, b2, c22);
            c23 = Vector512.FusedMultiplyAdd(x, b3, c23);
            x = Vector512.Create(*a3);
            c30 = Vector512.FusedMultiplyAdd(x, b0, c30);
            c31 = Vector512.FusedMultiplyAdd(x, b1, c31);
            c32 = Vector512.FusedMultiplyAdd(x, b2, c32);
            c33 = Vector512.FusedMultiplyAdd(x, b3, c33);
            a += aInner;
            a1 += aInner;
            a2 += aInner;
            a3 += aInner;
            b += bRow;
        }
        Store(c, c00, c01, c02, c03);
        Store(c1, c10, c11, c12, c13);
        Store(c2, c20, c21, c22, c23);
        Store(c3, c30, c31, c32, c33);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow(float* a, nint aRow, nint aInner, float* b, nint bRow, float* c, nint cRow, int lastRow, int inner, bool isAdded)
    {
        nint row1 = Math.Min(1, lastRow), row2 = Math.Min(2, lastRow), row3 = lastRow;
        float* a1 = a + row1 * aRow, a2 = a + row2 * aRow, a3 = a + row3 * aRow;
        float* c1 = c + row1 * cRow, c2 = c + row2 * cRow, c3 = c + row3 * cRow;
        var sum0 = isAdded ? Vector512.Load(c) : Vector512<float>.Zero;
        var sum1 = isAdded ? Vector512.Load(c1) : Vector512<float>.Zero;
        var sum2 = isAdded ? Vector512.Load(c2) : Vector512<float>.Zero;
        var sum3 = isAdded ? Vector512.Load(c3) : Vector512<float>.Zero;
        for (int k = 0; k < inner; k++)
        {
            var y = Vector512.Load(b + k * bRow);
            sum0 = Vector512.FusedMultiplyAdd(Vector512.Create(a[k * aInner]), y, sum0);
            sum1 = Vector512.FusedMultiplyAdd(Vector512.Create(a1[k * aInner]), y, sum1);
            sum2 = Vector512.FusedMultiplyAdd(Vector512.Create(a2[k * aInner]), y, sum2);
            sum3 = Vector512.FusedMultiplyAdd(Vector512.Create(a3[k * aInner]), y, sum3);
        }
        sum0.Store(c);
        sum1.Store(c1);
        sum2.Store(c2);
        sum3.Store(c3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, Vector512<float> v0, Vector512<float> v1, Vector512<float> v2, Vector512<float> v3)
    {
        v0.Store(c);
        v1.Store(c + 16);
        v2.Store(c + 32);
        v3.Store(c + 48);
    }
}
