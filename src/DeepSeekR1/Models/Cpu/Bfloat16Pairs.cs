using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeepSeekR1.Models.Cpu;

/// <summary>
/// Brings matrices of bfloat16 into the order in which <see cref="Runtime.NativeProduct"/> reads its right-hand side: two rows interleaved,
/// the first in the lower half of a word. Widths are multiples of sixteen, numbers of rows even.
/// </summary>
internal static unsafe class Bfloat16Pairs
{
    /// <summary>x [rows, width] → pairs [rows / 2, width].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OfRows(ushort* x, int rows, int width, uint* pairs)
    {
        for (int row = 0; row < rows; row += 2, x += 2 * width, pairs += width)
            for (int i = 0; i < width; i += Lanes.Width)
                (Widen(x + i) | (Widen(x + width + i) << 16)).Store(pairs + i);
    }

    /// <summary>x [rows, width] → pairs of its transpose [width / 2, rows]: a transposition of words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OfColumns(ushort* x, int rows, int width, uint* pairs)
    {
        uint* words = (uint*)x;
        int columns = width / 2;
        for (int row = 0; row < rows; row += 8)
            for (int column = 0; column < columns; column += 8)
                Transpose(words + (nint)row * columns + column, columns, pairs + (nint)column * rows + row, rows);
    }

    /// <summary>pairs [rows / 2, width] → their rows apart, [rows, width].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Split(uint* pairs, int rows, int width, ushort* x)
    {
        for (int row = 0; row < rows; row += 2, x += 2 * width, pairs += width)
            for (int i = 0; i < width; i += Lanes.Width)
            {
                var words = Vector512.Load(pairs + i);
                Avx512F.ConvertToVector256UInt16(words).Store(x + i);
                Avx512F.ConvertToVector256UInt16(words >>> 16).Store(x + width + i);
            }
    }

    /// <summary>x [rows, width] float32 → its transpose [width, rows].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(float* x, int rows, int width, float* transposed)
    {
        for (int row = 0; row < rows; row += 8)
            for (int column = 0; column < width; column += 8)
                Transpose((uint*)x + (nint)row * width + column, width, (uint*)transposed + (nint)column * rows + row, rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Widen(ushort* source) => Avx512F.ConvertToVector512UInt32(Vector256.Load(source));

    /// <summary>Eight by eight words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(uint* source, nint sourceStride, uint* destination, nint stride)
    {
        var (r0, r1, r2, r3) = (Vector256.Load(source), Vector256.Load(source + sourceStride), Vector256.Load(source + 2 * sourceStride), Vector256.Load(source + 3 * sourceStride));
        source += 4 * sourceStride;
        var (r4, r5, r6, r7) = (Vector256.Load(source), Vector256.Load(source + sourceStride), Vector256.Load(source + 2 * sourceStride), Vector256.Load(source + 3 * sourceStride));
        // Pairs of rows, then fours, within the halves of a vector; then the halves.
        var (a0, a1, a2, a3) = (Avx2.UnpackLow(r0, r1), Avx2.UnpackHigh(r0, r1), Avx2.UnpackLow(r2, r3), Avx2.UnpackHigh(r2, r3));
        var (a4, a5, a6, a7) = (Avx2.UnpackLow(r4, r5), Avx2.UnpackHigh(r4, r5), Avx2.UnpackLow(r6, r7), Avx2.UnpackHigh(r6, r7));
        var (b0, b1, b2, b3) = (Low(a0, a2), High(a0, a2), Low(a1, a3), High(a1, a3));
        var (b4, b5, b6, b7) = (Low(a4, a6), High(a4, a6), Low(a5, a7), High(a5, a7));
        Avx2.Permute2x128(b0, b4, 0x20).Store(destination);
        Avx2.Permute2x128(b1, b5, 0x20).Store(destination + stride);
        Avx2.Permute2x128(b2, b6, 0x20).Store(destination + 2 * stride);
        Avx2.Permute2x128(b3, b7, 0x20).Store(destination + 3 * stride);
        destination += 4 * stride;
        Avx2.Permute2x128(b0, b4, 0x31).Store(destination);
        Avx2.Permute2x128(b1, b5, 0x31).Store(destination + stride);
        Avx2.Permute2x128(b2, b6, 0x31).Store(destination + 2 * stride);
        Avx2.Permute2x128(b3, b7, 0x31).Store(destination + 3 * stride);

        static Vector256<uint> Low(Vector256<uint> a, Vector256<uint> b) => Avx2.UnpackLow(a.AsUInt64(), b.AsUInt64()).AsUInt32();
        static Vector256<uint> High(Vector256<uint> a, Vector256<uint> b) => Avx2.UnpackHigh(a.AsUInt64(), b.AsUInt64()).AsUInt32();
    }
}
