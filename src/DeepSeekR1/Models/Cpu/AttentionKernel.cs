using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Models.Cpu;

/// <summary>What attention reads.</summary>
/// <param name="Spans">The sequences.</param>
/// <param name="Window">How far back a token looks, itself included; null is to the beginning.</param>
/// <param name="Scale">Factor of the scores.</param>
/// <param name="Query">[token, head] queries.</param>
/// <param name="Key">[token, key-value head] keys.</param>
/// <param name="Value">[token, key-value head] values.</param>
/// <param name="LogSums">[token, head] float32: the logarithms of the sums of the weights, which the forward pass writes and the backward pass reads.</param>
internal sealed record AttentionOperands(TokenSpans Spans, int? Window, float Scale, HeadRows Query, HeadRows Key, HeadRows Value, nint LogSums);

/// <summary>
/// softmax(query · key * scale) · value and its gradient over packed sequences. Work is cut into spans and key-value heads, each of which
/// has its results to itself; the gradient of a prefix, whose keys and values exist once, is summed over all that attend to it when they are
/// done. Scores exist for a block of queries at a time, and are computed again for the gradient from the logarithm of their sum (Dao et
/// al. 2022, "FlashAttention").
/// </summary>
/// <typeparam name="T">What the tensors hold.</typeparam>
internal abstract unsafe class AttentionKernel<T>(AttentionOperands operands)
    where T : unmanaged, ILane<T>
{
    protected TokenSpans Spans => operands.Spans;

    protected HeadRows Query => operands.Query;

    protected HeadRows Key => operands.Key;

    protected HeadRows Value => operands.Value;

    protected float Scale => operands.Scale;

    /// <summary>Numbers of a key's row in working memory.</summary>
    protected int KeyWidth { get; } = Lanes.Padded(operands.Key.Width);

    /// <summary>Numbers of a value's row in working memory.</summary>
    protected int ValueWidth { get; } = Lanes.Padded(operands.Value.Width);

    /// <summary>Query heads that share a key-value head.</summary>
    protected int Sharing { get; } = operands.Query.Heads / operands.Key.Heads;

    /// <summary>Fills the output and, [token, head], the logarithms of the sums.</summary>
    public void Forward(HeadRows output)
    {
        long start = OperationClock.Start();
        TorchParallel.For(Spans.Count * Key.Heads, unit => Forward(unit / Key.Heads, unit % Key.Heads, output));
        OperationClock.Stop(Operation.Attention, start);
    }

    /// <summary>Fills the gradients of query, key and value.</summary>
    public void Backward(HeadRows output, HeadRows dOutput, HeadRows dQuery, HeadRows dKey, HeadRows dValue)
    {
        long start = OperationClock.Start();
        long[] firstRows = new long[Spans.Count + 1];
        for (int index = 0; index < Spans.Count; index++) firstRows[index + 1] = firstRows[index] + (Spans.IsPrefix(index) ? Spans[index].Length : Spans.PrefixLength(index));
        int width = KeyWidth + ValueWidth;
        long floats = firstRows[^1] * Key.Heads * width;
        using var scratch = new Scratch(floats);
        float* parts = scratch.Take(floats);
        float* PartOf(int index, int head) => parts + (firstRows[index] * Key.Heads + (firstRows[index + 1] - firstRows[index]) * head) * width;

        TorchParallel.For(Spans.Count * Key.Heads, unit =>
            Backward(unit / Key.Heads, unit % Key.Heads, output, dOutput, dQuery, dKey, dValue, PartOf(unit / Key.Heads, unit % Key.Heads)));
        int[][] families = [.. Spans.Families.Where(family => family.Length > 1)];
        TorchParallel.For(families.Length * Key.Heads, unit =>
        {
            var (family, head) = (families[unit / Key.Heads], unit % Key.Heads);
            var prefix = Spans[family[^1]];
            float* sum = PartOf(family[^1], head);
            foreach (int follower in family.AsSpan()[..^1]) Add(PartOf(follower, head), sum, prefix.Length * width);
            StoreKeys(sum, sum + prefix.Length * KeyWidth, prefix, head, dKey, dValue);
        });
        OperationClock.Stop(Operation.Attention, start);
    }

    /// <summary>The queries of one span that belong to one key-value head.</summary>
    protected abstract void Forward(int index, int head, HeadRows output);

    /// <inheritdoc cref="Forward(int, int, HeadRows)"/>
    /// <param name="index">Which span.</param>
    /// <param name="head">Which key-value head.</param>
    /// <param name="output">Of the forward pass.</param>
    /// <param name="dOutput">Its gradient.</param>
    /// <param name="dQuery">Receives rows of the span.</param>
    /// <param name="dKey">Receives rows of the span, unless it is a prefix.</param>
    /// <param name="dValue">As <paramref name="dKey"/>.</param>
    /// <param name="part">Receives what the span gives to the prefix, or a prefix to itself: keys, then values.</param>
    protected abstract void Backward(int index, int head, HeadRows output, HeadRows dOutput, HeadRows dQuery, HeadRows dKey, HeadRows dValue, float* part);

    /// <summary>Hands over the gradients of what a span attended to: its own rows to their tensors, those of a prefix to <paramref name="part"/>.</summary>
    protected void StoreGradients(float* dKeys, float* dValues, int index, int head, HeadRows dKey, HeadRows dValue, float* part)
    {
        var (span, past) = (Spans[index], Spans.PrefixLength(index));
        int shared = Spans.IsPrefix(index) ? span.Length : past;
        new ReadOnlySpan<float>(dKeys, shared * KeyWidth).CopyTo(new Span<float>(part, shared * KeyWidth));
        new ReadOnlySpan<float>(dValues, shared * ValueWidth).CopyTo(new Span<float>(part + shared * KeyWidth, shared * ValueWidth));
        if (!Spans.IsPrefix(index)) StoreKeys(dKeys + past * KeyWidth, dValues + past * ValueWidth, span, head, dKey, dValue);
    }

    /// <summary>The row of the token at a place of a span's sequence, the prefix included.</summary>
    protected T* RowAt(HeadRows source, int index, int place, int head)
    {
        var (span, past) = (Spans[index], Spans.PrefixLength(index));
        return source.Row<T>(place < past ? Spans[span.Prefix].Start + place : span.Start + place - past, head);
    }

    /// <summary>The first place that a token attends to.</summary>
    protected int FirstKey(int place) => TokenSpans.FirstKey(place, operands.Window);

    /// <summary>The logarithm of the sum of a query's weights.</summary>
    protected ref float LogSum(int token, int queryHead) => ref ((float*)operands.LogSums)[token * Query.Heads + queryHead];

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected static void StoreRow(float* source, T* destination, int width, float factor)
    {
        for (int i = 0; i < width; i += Lanes.Width) Lanes.Store(Vector512.Load(source + i) * factor, destination + i, width - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected static float Dot(T* a, T* b, int width)
    {
        var sum = Vector512<float>.Zero;
        for (int i = 0; i < width; i += Lanes.Width) sum = Vector512.FusedMultiplyAdd(Lanes.Load(a + i, width - i), Lanes.Load(b + i, width - i), sum);
        return Vector512.Sum(sum);
    }

    private void StoreKeys(float* dKeys, float* dValues, TokenSpan span, int head, HeadRows dKey, HeadRows dValue)
    {
        for (int row = 0; row < span.Length; row++)
        {
            StoreRow(dKeys + row * KeyWidth, dKey.Row<T>(span.Start + row, head), Key.Width, 1);
            StoreRow(dValues + row * ValueWidth, dValue.Row<T>(span.Start + row, head), Value.Width, 1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(float* source, float* destination, int count)
    {
        for (int i = 0; i < count; i += Lanes.Width) (Vector512.Load(destination + i) + Vector512.Load(source + i)).Store(destination + i);
    }
}
