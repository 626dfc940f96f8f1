using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeepSeekR1.Models.Cpu;

/// <summary>Attention in float32 whatever the tensors hold.</summary>
/// <typeparam name="T">What the tensors hold.</typeparam>
internal sealed unsafe class VectorAttention<T>(AttentionOperands operands) : AttentionKernel<T>(operands)
    where T : unmanaged, ILane<T>
{
    /// <summary>Queries whose scores exist at once.</summary>
    private const int Block = 64;

    protected override void Forward(int index, int head, HeadRows output)
    {
        var (span, past) = (Spans[index], Spans.PrefixLength(index));
        int keys = past + span.Length, columns = Lanes.Padded(keys);
        using var scratch = new Scratch((long)columns * (KeyWidth + ValueWidth + Block) + Block * (KeyWidth + ValueWidth));
        float* keysT = scratch.Take(columns * KeyWidth), values = scratch.Take(columns * ValueWidth);
        float* queries = scratch.Take(Block * KeyWidth), scores = scratch.Take(Block * columns), mixed = scratch.Take(Block * ValueWidth);
        LoadKeys(Key, index, keys, head, keysT, 1, columns);
        LoadKeys(Value, index, keys, head, values, ValueWidth, 1);
        float* inverses = stackalloc float[Block];
        for (int queryHead = head * Sharing; queryHead < (head + 1) * Sharing; queryHead++)
            for (int first = 0; first < span.Length; first += Block)
            {
                int rows = Math.Min(Block, span.Length - first), attended = past + first + rows;
                LoadRows(Query, span.Start + first, queryHead, rows, queries, KeyWidth, Scale);
                SmallProduct.Multiply(queries, KeyWidth, 1, keysT, columns, scores, columns, rows, Key.Width, Lanes.Padded(attended), isAdded: false);
                for (int row = 0; row < rows; row++)
                {
                    int place = past + first + row;
                    var (logSum, inverse) = Softmax(scores + row * columns, FirstKey(place), place + 1, attended);
                    LogSum(span.Start + first + row, queryHead) = logSum;
                    inverses[row] = inverse;
                }
                SmallProduct.Multiply(scores, columns, 1, values, ValueWidth, mixed, ValueWidth, rows, attended, ValueWidth, isAdded: false);
                for (int row = 0; row < rows; row++)
                    StoreRow(mixed + row * ValueWidth, output.Row<T>(span.Start + first + row, queryHead), Value.Width, inverses[row]);
            }
    }

    protected override void Backward(int index, int head, HeadRows output, HeadRows dOutput, HeadRows dQuery, HeadRows dKey, HeadRows dValue, float* part)
    {
        var (span, past) = (Spans[index], Spans.PrefixLength(index));
        int keys = past + span.Length, columns = Lanes.Padded(keys);
        using var scratch = new Scratch((long)columns * (3 * KeyWidth + 2 * ValueWidth + 2 * Block) + Block * (2 * KeyWidth + ValueWidth));
        float* natural = scratch.Take(columns * KeyWidth), keysT = scratch.Take(columns * KeyWidth), valuesT = scratch.Take(columns * ValueWidth);
        float* dKeys = scratch.TakeZeros(columns * KeyWidth), dValues = scratch.TakeZeros(columns * ValueWidth);
        float* queries = scratch.Take(Block * KeyWidth), dMixed = scratch.Take(Block * ValueWidth), dQueries = scratch.Take(Block * KeyWidth);
        float* weights = scratch.Take(Block * columns), dScores = scratch.Take(Block * columns);
        LoadKeys(Key, index, keys, head, natural, KeyWidth, 1);
        LoadKeys(Key, index, keys, head, keysT, 1, columns);
        LoadKeys(Value, index, keys, head, valuesT, 1, columns);

        for (int queryHead = head * Sharing; queryHead < (head + 1) * Sharing; queryHead++)
            for (int first = 0; first < span.Length; first += Block)
            {
                int rows = Math.Min(Block, span.Length - first), attended = past + first + rows, width = Lanes.Padded(attended);
                LoadRows(Query, span.Start + first, queryHead, rows, queries, KeyWidth, 1);
                LoadRows(dOutput, span.Start + first, queryHead, rows, dMixed, ValueWidth, 1);
                SmallProduct.Multiply(queries, KeyWidth, 1, keysT, columns, weights, columns, rows, Key.Width, width, isAdded: false);
                SmallProduct.Multiply(dMixed, ValueWidth, 1, valuesT, columns, dScores, columns, rows, Value.Width, width, isAdded: false);
                for (int row = 0; row < rows; row++)
                {
                    int token = span.Start + first + row, place = past + first + row;
                    float mean = Dot(output.Row<T>(token, queryHead), dOutput.Row<T>(token, queryHead), Value.Width);
                    ScoreGradient(weights + row * columns, dScores + row * columns, LogSum(token, queryHead), mean, FirstKey(place), place + 1, attended);
                }
                SmallProduct.Multiply(weights, 1, columns, dMixed, ValueWidth, dValues, ValueWidth, attended, rows, ValueWidth, isAdded: true);
                SmallProduct.Multiply(dScores, 1, columns, queries, KeyWidth, dKeys, KeyWidth, attended, rows, KeyWidth, isAdded: true);
                SmallProduct.Multiply(dScores, columns, 1, natural, KeyWidth, dQueries, KeyWidth, rows, attended, KeyWidth, isAdded: false);
                for (int row = 0; row < rows; row++)
                    StoreRow(dQueries + row * KeyWidth, dQuery.Row<T>(span.Start + first + row, queryHead), Key.Width, 1);
            }

        StoreGradients(dKeys, dValues, index, head, dKey, dValue, part);
    }

    /// <summary>Rows of the prefix and of the span itself, as they are or, with the strides exchanged, transposed.</summary>
    private void LoadKeys(HeadRows source, int index, int keys, int head, float* destination, nint rowStride, nint columnStride)
    {
        for (int place = 0; place < keys; place++)
        {
            T* row = RowAt(source, index, place, head);
            if (columnStride == 1) LoadRow(row, source.Width, destination + place * rowStride, 1);
            else LoadColumn(row, source.Width, destination + place * rowStride, columnStride);
        }
    }

    private static void LoadRows(HeadRows source, int token, int head, int rows, float* destination, int stride, float factor)
    {
        for (int row = 0; row < rows; row++) LoadRow(source.Row<T>(token + row, head), source.Width, destination + row * stride, factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LoadRow(T* source, int width, float* destination, float factor)
    {
        for (int i = 0; i < width; i += Lanes.Width) (Lanes.Load(source + i, width - i) * factor).Store(destination + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LoadColumn(T* source, int width, float* destination, nint stride)
    {
        float* lanes = stackalloc float[Lanes.Width];
        for (int i = 0; i < width; i += Lanes.Width)
        {
            Lanes.Load(source + i, width - i).Store(lanes);
            for (int lane = 0; lane < Math.Min(Lanes.Width, width - i); lane++) destination[(i + lane) * stride] = lanes[lane];
        }
    }

    /// <summary>Scores in [first, end) become exp(score - largest), all others up to <paramref name="attended"/> 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (float LogSum, float Inverse) Softmax(float* scores, int first, int end, int attended)
    {
        var largest = Vector512.Create(float.NegativeInfinity);
        for (int i = first & ~15; i < end; i += Lanes.Width) largest = Vector512.Max(largest, Lanes.Inside(Vector512.Load(scores + i), i, first, end, largest));
        float max = Lanes.Max(largest);
        var sum = Vector512<float>.Zero;
        for (int i = 0; i < attended; i += Lanes.Width)
        {
            var weight = Lanes.Inside(Lanes.Exp(Vector512.Load(scores + i) - Vector512.Create(max)), i, first, end, Vector512<float>.Zero);
            weight.Store(scores + i);
            sum += weight;
        }
        float total = Vector512.Sum(sum);
        return (max + MathF.Log(total), 1 / total);
    }

    /// <summary>Raw scores become weights, and the gradient of the weights that of the raw scores, 0 outside [first, end).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ScoreGradient(float* scores, float* gradients, float logSum, float mean, int first, int end, int attended)
    {
        for (int i = 0; i < attended; i += Lanes.Width)
        {
            var exponent = Vector512.FusedMultiplyAdd(Vector512.Load(scores + i), Vector512.Create(Scale), Vector512.Create(-logSum));
            var weight = Lanes.Inside(Lanes.Exp(exponent), i, first, end, Vector512<float>.Zero);
            weight.Store(scores + i);
            Lanes.Inside(weight * (Vector512.Load(gradients + i) - Vector512.Create(mean)) * Scale, i, first, end, Vector512<float>.Zero).Store(gradients + i);
        }
    }
}
