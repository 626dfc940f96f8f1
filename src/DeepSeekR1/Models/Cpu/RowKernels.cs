using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Models.Cpu;

/// <summary>
/// What a decoder does between its matrix products, and the gradients, each in one pass over memory and in float32 whatever the tensors
/// hold. Rows are cut into blocks of a fixed size, so that sums do not depend on the number of threads.
/// </summary>
/// <typeparam name="T">What the tensors hold.</typeparam>
internal static unsafe class RowKernels<T> where T : unmanaged, ILane<T>
{
    /// <summary>Numbers of one block, about: enough to be worth handing out.</summary>
    private const int BlockNumbers = 1 << 15;

    /// <summary>y = x / sqrt(mean(x²) + epsilon) * weight; x and y [rows, width].</summary>
    public static void RmsNorm(T* x, T* weight, T* y, long rows, int width, float epsilon) => ForBlocks(rows, width, (_, first, end) =>
    {
        for (long row = first; row < end; row++) RmsNormRow(x + row * width, weight, y + row * width, width, epsilon);
    });

    /// <summary>sum = x + update, and its norm y; all [rows, width].</summary>
    public static void AddAndNorm(T* x, T* update, T* sum, T* weight, T* y, long rows, int width, float epsilon) => ForBlocks(rows, width, (_, first, end) =>
    {
        for (long row = first; row < end; row++)
        {
            AddRow(x + row * width, update + row * width, sum + row * width, width);
            RmsNormRow(sum + row * width, weight, y + row * width, width, epsilon);
        }
    });

    /// <summary>
    /// Gradients of the norm, to which that of its input from elsewhere is added; this and that of the weight may be null.
    /// </summary>
    public static void RmsNormGradient(T* x, T* weight, T* dy, T* elsewhere, T* dx, T* dWeight, long rows, int width, float epsilon)
    {
        int padded = Lanes.Padded(width), blocks = Blocks(rows, width);
        using var scratch = new Scratch((long)(dWeight is null ? 0 : blocks) * padded);
        float* sums = dWeight is null ? null : scratch.TakeZeros(blocks * padded);
        ForBlocks(rows, width, (block, first, end) =>
        {
            for (long row = first; row < end; row++)
                RmsNormGradientRow(x + row * width, weight, dy + row * width, elsewhere is null ? null : elsewhere + row * width, dx + row * width, sums is null ? null : sums + block * padded, width, epsilon);
        });
        if (dWeight is null) return;
        for (int i = 0; i < width; i += Lanes.Width)
        {
            var sum = Vector512<float>.Zero;
            for (int block = 0; block < blocks; block++) sum += Vector512.Load(sums + block * padded + i);
            Lanes.Store(sum, dWeight + i, width - i);
        }
    }

    /// <summary>y = gate * sigmoid(gate) * up.</summary>
    public static void SwiGlu(T* gate, T* up, T* y, long count) => ForParts(count, (first, length) => SwiGluPart(gate + first, up + first, y + first, length));

    /// <summary>sum += x, in float32.</summary>
    public static void Accumulate(T* x, float* sum, long count) => ForParts(count, (first, length) => AccumulatePart(x + first, sum + first, length));

    /// <summary>Gradients of gate and up.</summary>
    public static void SwiGluGradient(T* gate, T* up, T* dy, T* dGate, T* dUp, long count) =>
        ForParts(count, (first, length) => SwiGluGradientPart(gate + first, up + first, dy + first, dGate + first, dUp + first, length));

    /// <summary>
    /// Turns rows: y[i] = x[i] * cos[i] + x[i ± width/2] * sine[i] * sign. The gradient is the turn back, with sign -1.
    /// </summary>
    /// <param name="x">[batch, sequence, heads, width].</param>
    /// <param name="cos">[positions, width], one position a token of the sequence, or of the whole batch.</param>
    /// <param name="signedSin">As <paramref name="cos"/>.</param>
    /// <param name="y">As <paramref name="x"/>.</param>
    /// <param name="tokens">batch * sequence.</param>
    /// <param name="positions">sequence, or batch * sequence.</param>
    /// <param name="heads">Rows of one token.</param>
    /// <param name="width">Even.</param>
    /// <param name="sign">1 or -1.</param>
    public static void Turn(T* x, T* cos, T* signedSin, T* y, long tokens, long positions, int heads, int width, float sign) => ForBlocks(tokens, heads * width, (_, first, end) =>
    {
        for (long token = first; token < end; token++)
        {
            long angles = token % positions * width, row = token * heads * width;
            for (int head = 0; head < heads; head++, row += width) TurnRow(x + row, cos + angles, signedSin + angles, y + row, width, sign);
        }
    });

    private static int RowsOfBlock(int width) => Math.Max(1, BlockNumbers / width);

    private static int Blocks(long rows, int width) => (int)((rows + RowsOfBlock(width) - 1) / RowsOfBlock(width));

    private static void ForBlocks(long rows, int width, Action<int, long, long> work)
    {
        int height = RowsOfBlock(width);
        TorchParallel.For(Blocks(rows, width), block => work(block, (long)block * height, Math.Min(rows, (block + 1L) * height)));
    }

    private static void ForParts(long count, Action<long, int> work) =>
        TorchParallel.For((int)((count + BlockNumbers - 1) / BlockNumbers), part => work((long)part * BlockNumbers, (int)Math.Min(BlockNumbers, count - (long)part * BlockNumbers)));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RmsNormRow(T* x, T* weight, T* y, int width, float epsilon)
    {
        float inverse = InverseRoot(x, width, epsilon);
        for (int i = 0; i < width; i += Lanes.Width)
            Lanes.Store(Lanes.Load(x + i, width - i) * inverse * Lanes.Load(weight + i, width - i), y + i, width - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRow(T* x, T* y, T* sum, int width)
    {
        for (int i = 0; i < width; i += Lanes.Width) Lanes.Store(Lanes.Load(x + i, width - i) + Lanes.Load(y + i, width - i), sum + i, width - i);
    }

    // With n = x·r: dx = r (dy·w - n mean(n·dy·w)), dw = Σ dy·n.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RmsNormGradientRow(T* x, T* weight, T* dy, T* elsewhere, T* dx, float* dWeight, int width, float epsilon)
    {
        var (squares, pull) = (Vector512<float>.Zero, Vector512<float>.Zero);
        for (int i = 0; i < width; i += Lanes.Width)
        {
            var value = Lanes.Load(x + i, width - i);
            squares = Vector512.FusedMultiplyAdd(value, value, squares);
            pull = Vector512.FusedMultiplyAdd(value * Lanes.Load(dy + i, width - i), Lanes.Load(weight + i, width - i), pull);
        }
        float inverse = InverseRoot(squares, width, epsilon), mean = Vector512.Sum(pull) * inverse * inverse / width;
        for (int i = 0; i < width; i += Lanes.Width)
        {
            var (value, gradient) = (Lanes.Load(x + i, width - i), Lanes.Load(dy + i, width - i));
            var sum = (gradient * Lanes.Load(weight + i, width - i) - value * mean) * inverse;
            Lanes.Store(elsewhere is null ? sum : sum + Lanes.Load(elsewhere + i, width - i), dx + i, width - i);
            if (dWeight is not null) Vector512.FusedMultiplyAdd(gradient, value * inverse, Vector512.Load(dWeight + i)).Store(dWeight + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float InverseRoot(T* x, int width, float epsilon)
    {
        var squares = Vector512<float>.Zero;
        for (int i = 0; i < width; i += Lanes.Width)
        {
            var value = Lanes.Load(x + i, width - i);
            squares = Vector512.FusedMultiplyAdd(value, value, squares);
        }
        return InverseRoot(squares, width, epsilon);
    }

    private static float InverseRoot(Vector512<float> squares, int width, float epsilon) => 1 / MathF.Sqrt(Vector512.Sum(squares) / width + epsilon);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SwiGluPart(T* gate, T* up, T* y, int count)
    {
        for (int i = 0; i < count; i += Lanes.Width)
        {
            var x = Lanes.Load(gate + i, count - i);
            Lanes.Store(x * Sigmoid(x) * Lanes.Load(up + i, count - i), y + i, count - i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SwiGluGradientPart(T* gate, T* up, T* dy, T* dGate, T* dUp, int count)
    {
        for (int i = 0; i < count; i += Lanes.Width)
        {
            var (x, pull) = (Lanes.Load(gate + i, count - i), Lanes.Load(dy + i, count - i));
            var sigmoid = Sigmoid(x);
            var silu = x * sigmoid;
            Lanes.Store(pull * Lanes.Load(up + i, count - i) * (sigmoid + silu * (Vector512<float>.One - sigmoid)), dGate + i, count - i);
            Lanes.Store(pull * silu, dUp + i, count - i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Sigmoid(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Lanes.Exp(-x));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AccumulatePart(T* x, float* sum, int count)
    {
        for (int i = 0; i < count; i += Lanes.Width)
        {
            var total = Lanes.Load((SingleLane*)sum + i, count - i) + Lanes.Load(x + i, count - i);
            Lanes.Store(total, (SingleLane*)sum + i, count - i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TurnRow(T* x, T* cos, T* signedSin, T* y, int width, float sign)
    {
        int half = width / 2;
        for (int i = 0; i < half; i += Lanes.Width)
        {
            int count = half - i;
            var (lower, upper) = (Lanes.Load(x + i, count), Lanes.Load(x + half + i, count));
            Lanes.Store(lower * Lanes.Load(cos + i, count) + upper * Lanes.Load(signedSin + i, count) * sign, y + i, count);
            Lanes.Store(upper * Lanes.Load(cos + half + i, count) + lower * Lanes.Load(signedSin + half + i, count) * sign, y + half + i, count);
        }
    }
}
