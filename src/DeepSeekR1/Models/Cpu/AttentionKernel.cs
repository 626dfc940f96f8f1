using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Models.Cpu;

/// <summary>
/// softmax(query · key * scale) · value and its gradient over packed sequences, in float32 whatever the tensors hold. Work is cut into
/// spans and key-value heads, each of which has its results to itself; the gradient of a prefix, whose keys and values exist once, is summed
/// over all that attend to it when they are done. Scores exist for a block of queries at a time, and are computed again for the gradient
/// from the logarithm of their sum (Dao et al. 2022, "FlashAttention").
/// </summary>
/// <typeparam name="T">What the tensors hold.</typeparam>
internal sealed unsafe class AttentionKernel<T>(TokenSpans spans, int? window, float scale, HeadRows query, HeadRows key, HeadRows value, nint logSums)
    where T : unmanaged, ILane<T>
{
    /// <summary>Queries whose scores exist at once.</summary>
    private const int Block = 64;

    private readonly int _keyWidth = Lanes.Padded(key.Width), _valueWidth = Lanes.Padded(value.Width), _sharing = query.Heads / key.Heads;

    /// <summary>Fills the output and, [token, head], the logarithms of the sums.</summary>
    public void Forward(HeadRows output) => TorchParallel.For(spans.Count * key.Heads, unit => Forward(unit / key.Heads, unit % key.Heads, output));

    /// <summary>Fills the gradients of query, key and value.</summary>
    public void Backward(HeadRows output, HeadRows dOutput, HeadRows dQuery, HeadRows dKey, HeadRows dValue)
    {
        long[] firstRows = new long[spans.Count + 1];
        for (int index = 0; index < spans.Count; index++) firstRows[index + 1] = firstRows[index] + (spans.IsPrefix(index) ? spans[index].Length : spans.PrefixLength(index));
        int width = _keyWidth + _valueWidth;
        long floats = firstRows[^1] * key.Heads * width;
        using var scratch = new Scratch(floats);
        float* parts = scratch.Take(floats);
        float* PartOf(int index, int head) => parts + (firstRows[index] * key.Heads + (firstRows[index + 1] - firstRows[index]) * head) * width;

        TorchParallel.For(spans.Count * key.Heads, unit =>
            Backward(unit / key.Heads, unit % key.Heads, output, dOutput, dQuery, dKey, dValue, PartOf(unit / key.Heads, unit % key.Heads)));
        int[][] families = [.. spans.Families.Where(family => family.Length > 1)];
        TorchParallel.For(families.Length * key.Heads, unit =>
        {
            var (family, head) = (families[unit / key.Heads], unit % key.Heads);
            var prefix = spans[family[^1]];
            float* sum = PartOf(family[^1], head);
            foreach (int follower in family.AsSpan()[..^1]) Add(PartOf(follower, head), sum, prefix.Length * width);
            StoreKeys(sum, sum + prefix.Length * _keyWidth, prefix, head, dKey, dValue);
        });
    }

    private void Forward(int index, int head, HeadRows output)
    {
        var (span, past) = (spans[index], spans.PrefixLength(index));
        int keys = past + span.Length, columns = Lanes.Padded(keys);
        using var scratch = new Scratch((long)columns * (_keyWidth + _valueWidth + Block) + Block * (_keyWidth + _valueWidth));
        float* keysT = scratch.Take(columns * _keyWidth), values = scratch.Take(columns * _valueWidth);
        float* queries = scratch.Take(Block * _keyWidth), scores = scratch.Take(Block * columns), mixed = scratch.Take(Block * _valueWidth);
        LoadKeys(span, past, key, head, keysT, 1, columns);
        LoadKeys(span, past, value, head, values, _valueWidth, 1);
        float* inverses = stackalloc float[Block];
        for (int queryHead = head * _sharing; queryHead < (head + 1) * _sharing; queryHead++)
            for (int first = 0; first < span.Length; first += Block)
            {
                int rows = Math.Min(Block, span.Length - first), attended = past + first + rows;
                LoadRows(query, span.Start + first, queryHead, rows, queries, _keyWidth, scale);
                SmallProduct.Multiply(queries, _keyWidth, 1, keysT, columns, scores, columns, rows, key.Width, Lanes.Padded(attended), isAdded: false);
                for (int row = 0; row < rows; row++)
                {
                    int place = past + first + row;
                    var (logSum, inverse) = Softmax(scores + row * columns, TokenSpans.FirstKey(place, window), place + 1, attended);
                    ((float*)logSums)[(span.Start + first + row) * query.Heads + queryHead] = logSum;
                    inverses[row] = inverse;
                }
                SmallProduct.Multiply(scores, columns, 1, values, _valueWidth, mixed, _valueWidth, rows, attended, _valueWidth, isAdded: false);
                for (int row = 0; row < rows; row++)
                    StoreRow(mixed + row * _valueWidth, output.Row<T>(span.Start + first + row, queryHead), value.Width, inverses[row]);
            }
    }

    /// <param name="index">Which span.</param>
    /// <param name="head">Which key-value head.</param>
    /// <param name="output">Of the forward pass.</param>
    /// <param name="dOutput">Its gradient.</param>
    /// <param name="dQuery">Receives rows of the span.</param>
    /// <param name="dKey">Receives rows of the span, unless it is a prefix.</param>
    /// <param name="dValue">As <paramref name="dKey"/>.</param>
    /// <param name="part">Receives what the span gives to the prefix, or a prefix to itself: keys, then values.</param>
    private void Backward(int index, int head, HeadRows output, HeadRows dOutput, HeadRows dQuery, HeadRows dKey, HeadRows dValue, float* part)
    {
        var (span, past) = (spans[index], spans.PrefixLength(index));
        int keys = past + span.Length, columns = Lanes.Padded(keys);
        using var scratch = new Scratch((long)columns * (3 * _keyWidth + 2 * _valueWidth + 2 * Block) + Block * (2 * _keyWidth + _valueWidth));
        float* natural = scratch.Take(columns * _keyWidth), keysT = scratch.Take(columns * _keyWidth), valuesT = scratch.Take(columns * _valueWidth);
        float* dKeys = scratch.TakeZeros(columns * _keyWidth), dValues = scratch.TakeZeros(columns * _valueWidth);
        float* queries = scratch.Take(Block * _keyWidth), dMixed = scratch.Take(Block * _valueWidth), dQueries = scratch.Take(Block * _keyWidth);
        float* weights = scratch.Take(Block * columns), dScores = scratch.Take(Block * columns);
        LoadKeys(span, past, key, head, natural, _keyWidth, 1);
        LoadKeys(span, past, key, head, keysT, 1, columns);
        LoadKeys(span, past, value, head, valuesT, 1, columns);

        for (int queryHead = head * _sharing; queryHead < (head + 1) * _sharing; queryHead++)
            for (int first = 0; first < span.Length; first += Block)
            {
                int rows = Math.Min(Block, span.Length - first), attended = past + first + rows, width = Lanes.Padded(attended);
                LoadRows(query, span.Start + first, queryHead, rows, queries, _keyWidth, 1);
                LoadRows(dOutput, span.Start + first, queryHead, rows, dMixed, _valueWidth, 1);
                SmallProduct.Multiply(queries, _keyWidth, 1, keysT, columns, weights, columns, rows, key.Width, width, isAdded: false);
                SmallProduct.Multiply(dMixed, _valueWidth, 1, valuesT, columns, dScores, columns, rows, value.Width, width, isAdded: false);
                for (int row = 0; row < rows; row++)
                {
                    int token = span.Start + first + row, place = past + first + row;
                    float mean = Dot(output.Row<T>(token, queryHead), dOutput.Row<T>(token, queryHead), value.Width);
                    ScoreGradient(weights + row * columns, dScores + row * columns, ((float*)logSums)[token * query.Heads + queryHead], mean, TokenSpans.FirstKey(place, window), place + 1, attended);
                }
                SmallProduct.Multiply(weights, 1, columns, dMixed, _valueWidth, dValues, _valueWidth, attended, rows, _valueWidth, isAdded: true);
                SmallProduct.Multiply(dScores, 1, columns, queries, _keyWidth, dKeys, _keyWidth, attended, rows, _keyWidth, isAdded: true);
                SmallProduct.Multiply(dScores, columns, 1, natural, _keyWidth, dQueries, _keyWidth, rows, attended, _keyWidth, isAdded: false);
                for (int row = 0; row < rows; row++)
                    StoreRow(dQueries + row * _keyWidth, dQuery.Row<T>(span.Start + first + row, queryHead), key.Width, 1);
            }

        int shared = spans.IsPrefix(index) ? span.Length : past;
        new ReadOnlySpan<float>(dKeys, shared * _keyWidth).CopyTo(new Span<float>(part, shared * _keyWidth));
        new ReadOnlySpan<float>(dValues, shared * _valueWidth).CopyTo(new Span<float>(part + shared * _keyWidth, shared * _valueWidth));
        if (!spans.IsPrefix(index)) StoreKeys(dKeys + past * _keyWidth, dValues + past * _valueWidth, span, head, dKey, dValue);
    }

    private void StoreKeys(float* dKeys, float* dValues, TokenSpan span, int head, HeadRows dKey, HeadRows dValue)
    {
        for (int row = 0; row < span.Length; row++)
        {
            StoreRow(dKeys + row * _keyWidth, dKey.Row<T>(span.Start + row, head), key.Width, 1);
            StoreRow(dValues + row * _valueWidth, dValue.Row<T>(span.Start + row, head), value.Width, 1);
        }
    }

    /// <summary>Rows of the prefix and of the span itself, as they are or, with the strides exchanged, transposed.</summary>
    private void LoadKeys(TokenSpan span, int past, HeadRows source, int head, float* destination, nint rowStride, nint columnStride)
    {
        int prefixStart = past > 0 ? spans[span.Prefix].Start : 0;
        for (int place = 0; place < past + span.Length; place++)
        {
            T* row = source.Row<T>(place < past ? prefixStart + place : span.Start + place - past, head);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreRow(float* source, T* destination, int width, float factor)
    {
        for (int i = 0; i < width; i += Lanes.Width) Lanes.Store(Vector512.Load(source + i) * factor, destination + i, width - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(float* source, float* destination, int count)
    {
        for (int i = 0; i < count; i += Lanes.Width) (Vector512.Load(destination + i) + Vector512.Load(source + i)).Store(destination + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Dot(T* a, T* b, int width)
    {
        var sum = Vector512<float>.Zero;
        for (int i = 0; i < width; i += Lanes.Width) sum = Vector512.FusedMultiplyAdd(Lanes.Load(a + i, width - i), Lanes.Load(b + i, width - i), sum);
        return Vector512.Sum(sum);
    }

    /// <summary>Scores in [first, end) become exp(score - largest), all others up to <paramref name="attended"/> 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (float LogSum, float Inverse) Softmax(float* scores, int first, int end, int attended)
    {
        var places = Vector512.CreateSequence(0, 1);
        var largest = Vector512.Create(float.NegativeInfinity);
        for (int i = first & ~15; i < end; i += Lanes.Width) largest = Vector512.Max(largest, Inside(Vector512.Load(scores + i), places + Vector512.Create(i), first, end, largest));
        float max = float.NegativeInfinity;
        for (int lane = 0; lane < Lanes.Width; lane++) max = MathF.Max(max, largest[lane]);
        var sum = Vector512<float>.Zero;
        for (int i = 0; i < attended; i += Lanes.Width)
        {
            var weight = Inside(Lanes.Exp(Vector512.Load(scores + i) - Vector512.Create(max)), places + Vector512.Create(i), first, end, Vector512<float>.Zero);
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
        var places = Vector512.CreateSequence(0, 1);
        for (int i = 0; i < attended; i += Lanes.Width)
        {
            var exponent = Vector512.FusedMultiplyAdd(Vector512.Load(scores + i), Vector512.Create(scale), Vector512.Create(-logSum));
            var weight = Inside(Lanes.Exp(exponent), places + Vector512.Create(i), first, end, Vector512<float>.Zero);
            weight.Store(scores + i);
            Inside(weight * (Vector512.Load(gradients + i) - Vector512.Create(mean)) * scale, places + Vector512.Create(i), first, end, Vector512<float>.Zero).Store(gradients + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Inside(Vector512<float> value, Vector512<int> place, int first, int end, Vector512<float> outside)
    {
        var isInside = Vector512.GreaterThanOrEqual(place, Vector512.Create(first)) & Vector512.LessThan(place, Vector512.Create(end));
        return Vector512.ConditionalSelect(isInside.AsSingle(), value, outside);
    }
}
