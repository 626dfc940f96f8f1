using System.Runtime.CompilerServices;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>
/// Attention of a block of rows that share a prompt, one key/value head at a time. The prompt's keys and values are read once for
/// the whole block (cascade attention), then each sequence's own. Scores of one query lie in one row, so that a single softmax spans both parts.
/// </summary>
internal sealed unsafe class AttentionPass(CpuKernels kernels, int heads, KvLayout layout) : IDisposable
{
    /// <summary>Rows of a block: those of the largest tile of the matrix kernel.</summary>
    public const int BlockRows = 8;

    private readonly int _queriesPerKey = heads / layout.Heads, _headDim = layout.HeadDim;
    private readonly float _scale = (float)(1 / Math.Sqrt(layout.HeadDim));
    private NativeBuffer _scores = NativeBuffer.OfFloats(0);

    /// <summary>Makes room for rows that attend to so many tokens.</summary>
    public void Reserve(int promptTokens, int ownTokens)
    {
        long floats = (long)BlockRows * _queriesPerKey * (Padded(promptTokens) + Padded(ownTokens));
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
        int ownOffset = Padded(promptTokens), stride = ownOffset + Padded(ownTokens), firstQuery = head * _queriesPerKey * _headDim;
        var prompt = rows[0].Prompt.Cache;

        // Row (i, j) of the scores is query head j of row i.
        Rows PromptScores(int query) => new((nint)(_scores.Floats + query * stride), _queriesPerKey * stride, queries.Count);
        Rows OwnScores(int row, int offset) => new((nint)(_scores.Floats + row * _queriesPerKey * stride + ownOffset + offset), stride, _queriesPerKey);

        for (int query = 0; query < _queriesPerKey; query++)
            Multiply(Shift(queries, firstQuery + query * _headDim), prompt.Keys(layer, head, promptTokens), PromptScores(query));
        for (int i = 0; i < rows.Length; i++)
        {
            var (own, pages) = (HeadsOf(queries, i, firstQuery), rows[i].Sequence?.Pages);
            for (int page = 0, first = 0; first < rows[i].VisibleOwn; first += pages![page++].Capacity)
                Multiply(own, pages![page].Keys(layer, head, Math.Min(pages[page].Capacity, rows[i].VisibleOwn - first)), OwnScores(i, first));
            for (int query = 0; query < _queriesPerKey; query++)
                Normalise(_scores.Floats + (i * _queriesPerKey + query) * stride, rows[i].VisiblePrompt, ownOffset, rows[i].VisibleOwn);
        }

        for (int query = 0; query < _queriesPerKey; query++)
            Multiply(PromptScores(query), prompt.Values(layer, head, promptTokens), Shift(attended, firstQuery + query * _headDim));
        for (int i = 0; i < rows.Length; i++)
        {
            var (own, pages) = (HeadsOf(attended, i, firstQuery), rows[i].Sequence?.Pages);
            for (int page = 0, first = 0; first < rows[i].VisibleOwn; first += pages![page++].Capacity)
                Multiply(OwnScores(i, first), pages![page].Values(layer, head, Math.Min(pages[page].Capacity, rows[i].VisibleOwn - first)), own, new Epilogue(Add: true));
        }
    }

    public void Dispose() => _scores.Dispose();

    private int Padded(int tokens) => (tokens + kernels.Width - 1) / kernels.Width * kernels.Width;

    private static Rows Shift(Rows rows, int columns) => rows with { Data = rows.Data + columns * sizeof(float) };

    private Rows HeadsOf(Rows rows, int row, int column) => new((nint)(rows[row] + column), _headDim, _queriesPerKey);

    private void Multiply(Rows left, in Panels right, Rows result, Epilogue epilogue = default) =>
        kernels.Multiply(left, right, 0, Panel.Count(right.Columns, kernels.Width), result, epilogue);

    /// <summary>Softmax over the visible tokens of the prompt and the sequence's own; what lies between and behind becomes 0.</summary>
    private void Normalise(float* scores, int promptTokens, int ownOffset, int ownTokens)
    {
        int end = ownOffset + Padded(ownTokens);
        new Span<float>(scores + promptTokens, ownOffset - promptTokens).Fill(float.NegativeInfinity);
        new Span<float>(scores + ownOffset + ownTokens, end - ownOffset - ownTokens).Fill(float.NegativeInfinity);
        kernels.Softmax(scores, _scale, end);
    }
}
