using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// Sequences that go through the model together: one a row, padded on the right, or several packed into a row without seeing one
/// another. Tokens after the last that is scored are not run at all.
/// </summary>
internal sealed class MicroBatch : IDisposable
{
    /// <summary>Places of one sequence that are scored: <c>Positions[k]</c> in its ids is the k-th of its tokens in the loss.</summary>
    public sealed record Member(int Index, int[] Positions);

    private readonly Device _device;

    /// <summary>Lays out the sequences of a plan as tensors.</summary>
    /// <param name="sequences">All sequences of the step.</param>
    /// <param name="rows">[row][document] indices into <paramref name="sequences"/>.</param>
    /// <param name="device">Where the tensors live.</param>
    public MicroBatch(IReadOnlyList<IScoredSequence> sequences, IReadOnlyList<int[]> rows, Device device)
    {
        _device = device;
        Members = [.. rows.SelectMany(row => row).Select(index => new Member(index, sequences[index].ScoredPositions()))];
        var inputs = Members.ToDictionary(member => member.Index, member => member.Positions[^1]);
        int length = Kernels.StableLength(rows.Count, rows.Max(row => row.Sum(index => inputs[index])));
        int tokens = Members.Sum(member => member.Positions.Length);
        long[] ids = new long[rows.Count * length], document = new long[ids.Length], place = new long[ids.Length];
        long[] hiddenRows = new long[tokens], targets = new long[tokens], sequence = new long[tokens];
        Array.Fill(document, -1);

        int token = 0, ordinal = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            int offset = row * length;
            foreach (int index in rows[row])
            {
                var source = sequences[index].Ids.Span;
                for (int i = 0; i < inputs[index]; i++) (ids[offset + i], document[offset + i], place[offset + i]) = (source[i], ordinal, i);
                foreach (int position in Members[ordinal].Positions)
                    (hiddenRows[token], targets[token], sequence[token++]) = (offset + position - 1, source[position], ordinal);
                offset += inputs[index];
                ordinal++;
            }
        }
        Ids = OnDevice(ids).view(rows.Count, length).DetachFromDisposeScope();
        HiddenRows = OnDevice(hiddenRows).DetachFromDisposeScope();
        Targets = OnDevice(targets).DetachFromDisposeScope();
        SequenceIndex = OnDevice(sequence).DetachFromDisposeScope();
        if (rows.Any(row => row.Length > 1))
            (Positions, Mask) = (OnDevice(place).view(rows.Count, length).DetachFromDisposeScope(), BlockDiagonal(OnDevice(document).view(rows.Count, length)));
    }

    /// <summary>The sequences in order of their tokens.</summary>
    public IReadOnlyList<Member> Members { get; }

    /// <summary>[row, length] int64</summary>
    public Tensor Ids { get; }

    /// <summary>[row, length] int64, counted from 0 in each document; null where a row is one document.</summary>
    public Tensor? Positions { get; }

    /// <summary>[row, 1, length, length] bool, true where a token may attend; null where a row is one document and plain causality does.</summary>
    public Tensor? Mask { get; }

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
