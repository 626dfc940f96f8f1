using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>
/// Attention of a block of rows that share a prompt, one key/value head at a time. The prompt's keys and values are read once for
/// the whole block (cascade attention), then each sequence's own. Scores of one query lie in one row, so that a single softmax spans both parts.
/// </summary>
internal sealed unsafe class AttentionPass(CpuKernels kernels, int heads, KvLayout layout) : IDisposable
{
    /// <summary>Rows of a block: so many that keys and values are read seldom, so few that scores of a thousand tokens stay in the second cache.</summary>
    public const int BlockRows = 32;

    private readonly int _queriesPerKey = heads / layout.Heads, _headDim = layout.HeadDim, _valueWidth = layout.ValuePanels * layout.Width;
    private readonly float _scale = (float)(1 / Math.Sqrt(layout.HeadDim));
    private readonly NativeBuffer _queries = NativeBuffer.OfFloats((long)BlockRows * heads / layout.Heads * layout.HeadDim);
    private readonly NativeBuffer _mixed = NativeBuffer.OfFloats((long)BlockRows * heads / layout.Heads * layout.ValuePanels * layout.Width);
    private NativeBuffer _scores = NativeBuffer.OfFloats(0);

    /// <summary>Makes room for rows that attend to so many tokens.</summary>
    public void Reserve(int promptTokens, int ownTokens)
    {
        long floats = (long)BlockRows * _queriesPerKey * Stride(layout.Padded(promptTokens) + layout.Padded(ownTokens));
        if (_scores.Bytes >= floats * sizeof(float)) return;
        _scores.Dispose();
        _scores = NativeBuffer.OfFloats(floats);
    }

    /// <summary>Attends.</summary>
    /// <param name="rows">At most <see cref="BlockRows"/> rows of one prompt.</param>
    /// <param name="layer">Layer.</param>
    /// <param name="head">Key/value head.</param>
    /// <param name="queries">[rows, heads * head dimension] and beyond, positions applied.</param>
    /// <param name="attended">[rows, heads * head dimension]: the result.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Attend(ReadOnlySpan<DecoderRow> rows, int layer, int head, Rows queries, Rows attended)
    {
        int promptTokens = 0, ownTokens = 0;
        foreach (ref readonly var row in rows)
        {
            promptTokens = Math.Max(promptTokens, row.VisiblePrompt);
            ownTokens = Math.Max(ownTokens, row.VisibleOwn);
        }
        int ownOffset = layout.Padded(promptTokens), stride = Stride(ownOffset + layout.Padded(ownTokens)), columns = _queriesPerKey * _headDim;
        var prompt = rows[0].Prompt.Cache;

        // Row i * queries a key + j, of all three, is query head j of row i.
        Rows Queries(int row, int count) => new((nint)(_queries.Floats + row * columns), _headDim, count * _queriesPerKey);
        Rows Scores(int row, int count, int offset) => new((nint)(_scores.Floats + row * _queriesPerKey * stride + offset), stride, count * _queriesPerKey);
        Rows Mixed(int row, int count) => new((nint)(_mixed.Floats + row * _queriesPerKey * _valueWidth), _valueWidth, count * _queriesPerKey);

        for (int i = 0; i < rows.Length; i++) Copy(queries[i] + head * columns, _queries.Floats + i * columns, columns);
        kernels.MultiplyCache(Queries(0, rows.Length), prompt.Keys(layer, head, promptTokens), Scores(0, rows.Length, 0));
        for (int i = 0; i < rows.Length; i++)
        {
            var pages = rows[i].Sequence?.Pages;
            for (int page = 0, first = 0; first < rows[i].VisibleOwn; first += pages![page++].Capacity)
                kernels.MultiplyCache(Queries(i, 1), pages![page].Keys(layer, head, Math.Min(pages[page].Capacity, rows[i].VisibleOwn - first)), Scores(i, 1, ownOffset + first));
            for (int query = 0; query < _queriesPerKey; query++)
                Normalise(_scores.Floats + (i * _queriesPerKey + query) * stride, rows[i].VisiblePrompt, ownOffset, rows[i].VisibleOwn);
        }

        kernels.MultiplyCache(Scores(0, rows.Length, 0), prompt.Values(layer, head, promptTokens), Mixed(0, rows.Length));
        for (int i = 0; i < rows.Length; i++)
        {
            var pages = rows[i].Sequence?.Pages;
            for (int page = 0, first = 0; first < rows[i].VisibleOwn; first += pages![page++].Capacity)
                kernels.MultiplyCache(Scores(i, 1, ownOffset + first), pages![page].Values(layer, head, Math.Min(pages[page].Capacity, rows[i].VisibleOwn - first)), Mixed(i, 1), add: true);
            var mixed = Mixed(i, 1);
            for (int query = 0; query < _queriesPerKey; query++) Copy(mixed[query], attended[i] + head * columns + query * _headDim, _headDim);
        }
    }

    public void Dispose()
    {
        _queries.Dispose();
        _mixed.Dispose();
        _scores.Dispose();
    }

    /// <summary>
    /// Numbers from one row of scores to the next: few different ones, as kernels are made for each, and no powers of two, at which rows
    /// would fall on the same lines of a cache.
    /// </summary>
    private int Stride(int tokens) => (int)BitOperations.RoundUpToPowerOf2((uint)tokens) + kernels.Width;

    private static void Copy(float* source, float* destination, int count) => new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(destination, count));

    /// <summary>Softmax over the visible tokens of the prompt and the sequence's own; what lies between and behind becomes 0.</summary>
    private void Normalise(float* scores, int promptTokens, int ownOffset, int ownTokens)
    {
        int end = ownOffset + layout.Padded(ownTokens);
        new Span<float>(scores + promptTokens, ownOffset - promptTokens).Fill(float.NegativeInfinity);
        new Span<float>(scores + ownOffset + ownTokens, end - ownOffset - ownTokens).Fill(float.NegativeInfinity);
        kernels.Softmax(scores, _scale, end);
    }
}
