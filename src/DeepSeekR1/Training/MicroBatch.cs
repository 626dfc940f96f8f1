using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// Sequences that go through the model together: one a row, padded on the right; several packed into a row without seeing one another; or
/// all in one row, where those with the same prompt share it. Tokens after the last that is scored are not run at all.
/// </summary>
internal sealed class MicroBatch : IDisposable
{
    /// <summary>Places of one sequence that are scored: <c>Positions[k]</c> in its ids is the k-th of its tokens in the loss.</summary>
    public sealed record Member(int Index, int[] Positions);

    private readonly Device _device;

    private MicroBatch(IReadOnlyList<IScoredSequence> sequences, IReadOnlyList<Member> members, Grid grid, IReadOnlyList<long> hiddenRows, Device device)
    {
        (_device, Members) = (device, members);
        Ids = OnDevice(grid.Ids).view(grid.Rows, -1).DetachFromDisposeScope();
        HiddenRows = OnDevice([.. hiddenRows]).DetachFromDisposeScope();
        Targets = OnDevice([.. members.SelectMany(member => member.Positions.Select(position => (long)sequences[member.Index].Ids.Span[position]))]).DetachFromDisposeScope();
        SequenceIndex = OnDevice([.. members.SelectMany((member, ordinal) => Enumerable.Repeat((long)ordinal, member.Positions.Length))]).DetachFromDisposeScope();
    }

    /// <summary>What goes in: ids and their positions, rows one after the other.</summary>
    private sealed record Grid(int Rows, long[] Ids, long[] Positions);

    /// <summary>Lays out rows of one or several documents.</summary>
    /// <param name="sequences">All sequences of the step.</param>
    /// <param name="rows">[row][document] indices into <paramref name="sequences"/>.</param>
    /// <param name="device">Where the tensors live.</param>
    public static MicroBatch Rows(IReadOnlyList<IScoredSequence> sequences, IReadOnlyList<int[]> rows, Device device)
    {
        using var scope = NewDisposeScope();
        Member[] members = [.. rows.SelectMany(row => row).Select(index => new Member(index, sequences[index].ScoredPositions()))];
        var inputs = members.ToDictionary(member => member.Index, member => member.Positions[^1]);
        int length = Kernels.StableLength(rows.Count, rows.Max(row => row.Sum(index => inputs[index])));
        var grid = new Grid(rows.Count, new long[rows.Count * length], new long[rows.Count * length]);
        long[] document = new long[grid.Ids.Length];
        Array.Fill(document, -1);
        var hiddenRows = new List<long>();

        int ordinal = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            int offset = row * length;
            foreach (int index in rows[row])
            {
                var source = sequences[index].Ids.Span;
                for (int i = 0; i < inputs[index]; i++) (grid.Ids[offset + i], document[offset + i], grid.Positions[offset + i]) = (source[i], ordinal, i);
                foreach (int position in members[ordinal++].Positions) hiddenRows.Add(offset + position - 1);
                offset += inputs[index];
            }
        }
        var batch = new MicroBatch(sequences, members, grid, hiddenRows, device);
        if (rows.Any(row => row.Length > 1))
            (batch.Positions, batch.Mask) = (batch.OnDevice(grid.Positions).view(rows.Count, length).DetachFromDisposeScope(), BlockDiagonal(batch.OnDevice(document).view(rows.Count, length)));
        return batch;
    }

    /// <summary>Lays out families end to end in one row, each prompt once before those that have it in common.</summary>
    /// <param name="sequences">All sequences of the step.</param>
    /// <param name="families">[family][member] indices into <paramref name="sequences"/>.</param>
    /// <param name="device">Where the tensors live.</param>
    public static MicroBatch Shared(IReadOnlyList<IScoredSequence> sequences, IReadOnlyList<int[]> families, Device device)
    {
        using var scope = NewDisposeScope();
        Member[] members = [.. families.SelectMany(family => family).Select(index => new Member(index, sequences[index].ScoredPositions()))];
        var (ids, positions, hiddenRows, spans) = (new List<long>(), new List<long>(), new List<long>(), new List<TokenSpan>());
        int ordinal = 0;
        foreach (int[] family in families)
        {
            // A sequence by itself is one span, its prompt included.
            int prompt = family.Length > 1 ? sequences[family[0]].PromptLength : 0, promptStart = ids.Count, prefix = -1;
            if (prompt > 0) prefix = Append(family[0], 0, prompt, -1);
            foreach (int index in family)
            {
                int start = ids.Count;
                int[] scored = members[ordinal++].Positions;
                if (scored[^1] > prompt) Append(index, prompt, scored[^1], prefix);
                foreach (int position in scored) hiddenRows.Add(position - 1 < prompt ? promptStart + position - 1 : start + position - 1 - prompt);
            }
        }
        if (Kernels.StableLength(1, ids.Count) - ids.Count is > 0 and var padding)
        {
            spans.Add(new TokenSpan(ids.Count, padding));
            ids.AddRange(new long[padding]);
            positions.AddRange(new long[padding]);
        }
        var batch = new MicroBatch(sequences, members, new Grid(1, [.. ids], [.. positions]), hiddenRows, device) { Spans = new TokenSpans(spans) };
        batch.Positions = batch.OnDevice([.. positions]).view(1, -1).DetachFromDisposeScope();
        return batch;

        int Append(int index, int first, int end, int prefix)
        {
            spans.Add(new TokenSpan(ids.Count, end - first, prefix));
            for (int place = first; place < end; place++)
            {
                ids.Add(sequences[index].Ids.Span[place]);
                positions.Add(place);
            }
            return spans.Count - 1;
        }
    }

    /// <summary>The sequences in order of their tokens.</summary>
    public IReadOnlyList<Member> Members { get; }

    /// <summary>[row, length] int64</summary>
    public Tensor Ids { get; }

    /// <summary>[row, length] int64, counted from 0 in each document; null where a row is one document.</summary>
    public Tensor? Positions { get; private set; }

    /// <summary>Who sees whom where all sequences share one row; null where <see cref="Mask"/> or plain causality says it.</summary>
    public TokenSpans? Spans { get; private init; }

    /// <summary>[row, 1, length, length] bool, true where a token may attend; null where a row is one document and plain causality does.</summary>
    public Tensor? Mask { get; private set; }

    /// <summary>[token] which of the row · length hidden states predicts each scored token.</summary>
    public Tensor HiddenRows { get; }

    /// <summary>[token] int64, the ids to be predicted.</summary>
    public Tensor Targets { get; }

    /// <summary>[token] int64, index into <see cref="Members"/>.</summary>
    public Tensor SequenceIndex { get; }

    /// <summary>Values that stand at each scored token, in the order of the tokens. [token]</summary>
    /// <param name="value">(sequence, place in its ids) → value.</param>
    /// <param name="dtype">Precision wanted.</param>
    public Tensor Gather(Func<int, int, float> value, ScalarType dtype)
    {
        var values = new float[Members.Sum(member => member.Positions.Length)];
        int token = 0;
        foreach (var member in Members)
            foreach (int position in member.Positions) values[token++] = value(member.Index, position);
        return tensor(values, device: _device).to(dtype);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in new[] { Ids, Positions, Mask, HiddenRows, Targets, SequenceIndex }) tensor?.Dispose();
    }

    private Tensor OnDevice(long[] values) => tensor(values, device: _device);

    private static Tensor BlockDiagonal(Tensor document)
    {
        using var scope = NewDisposeScope();
        long length = document.shape[1];
        var isSame = document.unsqueeze(2).eq(document.unsqueeze(1));
        var isEarlier = ones(length, length, dtype: ScalarType.Bool, device: document.device).tril();
        return isSame.logical_and(isEarlier).unsqueeze(1).DetachFromDisposeScope();
    }
}
