using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Rollouts;

/// <summary>
/// Sequences of a <see cref="TorchDecoder"/>. A sequence reads a row of the cache: first its prompt's, which all copies share, and from
/// the first step on a row of its own. Rows of sequences that have left are computed along until so many are dead that moving the others pays.
/// </summary>
internal sealed unsafe class TorchDecodeBatch : IDecodeBatch
{
    /// <summary>Dead rows are borne up to one in this many: moving the cache costs as much as some steps of it (measured on small models).</summary>
    private const int DeadRowsBorne = 4;

    private readonly CausalLM _model;
    private readonly KvCache _cache;

    private readonly int _capacity;

    // Left padding of each row, and [row, 1, 1, capacity] true where a token may attend; null where no prompt is padded.
    private int[]? _padding;
    private Tensor? _mask;

    // Row of each live sequence, in the cache and in the logits alike.
    private int[] _rows;
    private bool _sharesRows;

    // [row, vocabulary] float32 where they were computed; and in host memory, once they were asked for there, and where that begins.
    private Tensor? _logits, _hostLogits;
    private float* _firstLogit;

    public TorchDecodeBatch(CausalLM model, IReadOnlyList<ReadOnlyMemory<int>> prompts, IReadOnlyList<int> copies, int maxNewTokens)
    {
        int longest = prompts.Max(prompt => prompt.Length);
        _model = model;
        _capacity = longest + maxNewTokens - 1;
        _rows = [.. copies.SelectMany((count, prompt) => Enumerable.Repeat(prompt, count))];
        _sharesRows = _rows.Length > prompts.Count;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        _cache = KvCache.Create(model, prompts.Count, _capacity);
        try
        {
            ReadPrompts(prompts, longest);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether tokens are to be drawn from <see cref="DeviceLogits"/>.</summary>
    public bool DrawsOnDevice { get; init; }

    public int Count => _rows.Length;

    /// <summary>False: all rows of its cache have one length.</summary>
    public bool CanJoin => false;

    public ReadOnlySpan<float> Logits(int sequence)
    {
        lock (_cache)
        {
            if (_hostLogits is null) BringToHost();
        }
        return new(_firstLogit + ((long)_rows[sequence] * _model.Config.VocabularySize), _model.Config.VocabularySize);
    }

    /// <summary>[live sequence, vocabulary] float32 next-token logits on the model's device, in the caller's dispose scope.</summary>
    public Tensor DeviceLogits() => _logits!.index_select(0, tensor(_rows, ScalarType.Int64, _model.Device));

    public void Advance(ReadOnlySpan<int> keep, ReadOnlySpan<int> tokens)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var rows = new int[keep.Length];
        for (int i = 0; i < rows.Length; i++) rows[i] = _rows[keep[i]];
        int dead = _cache.Rows - rows.Length;
        _rows = _sharesRows || dead * DeadRowsBorne > _cache.Rows ? MoveRows(rows) : rows;
        var ids = new long[_cache.Rows];
        for (int i = 0; i < _rows.Length; i++) ids[_rows[i]] = tokens[i];
        Publish(_model.Hidden(Upload(ids, 1), Positions(1), _mask?.narrow(3, 0, _cache.Length + 1), _cache));
    }

    public void Join(IReadOnlyList<ReadOnlyMemory<int>> prompts, IReadOnlyList<int> copies, int maxNewTokens) =>
        throw new NotSupportedException("prompts cannot join a batch of TorchDecoder; start another one when it has ended");

    public void Dispose()
    {
        _cache.Dispose();
        _mask?.Dispose();
        _logits?.Dispose();
        _hostLogits?.Dispose();
    }

    private void ReadPrompts(IReadOnlyList<ReadOnlyMemory<int>> prompts, int longest)
    {
        if (prompts.Any(prompt => prompt.Length < longest)) Pad([.. prompts.Select(prompt => longest - prompt.Length)]);
        var ids = new long[prompts.Count * longest];
        for (int row = 0; row < prompts.Count; row++)
        {
            var prompt = prompts[row].Span;
            for (int i = 0; i < prompt.Length; i++) ids[((row + 1) * longest) - prompt.Length + i] = prompt[i];
        }
        var causal = _mask is null ? null : ones([longest, longest], ScalarType.Bool, _model.Device).tril();
        var mask = _mask?.narrow(3, 0, longest).logical_and(causal!);
        Publish(_model.Hidden(Upload(ids, longest), Positions(longest), mask, _cache));
    }

    /// <summary>Gives each sequence a row of its own, without the dead between them.</summary>
    private int[] MoveRows(int[] rows)
    {
        _cache.SelectRows(rows);
        if (_padding is not null) Pad([.. rows.Select(row => _padding[row])]);
        _sharesRows = false;
        return [.. Enumerable.Range(0, rows.Length)];
    }

    private void Pad(int[] padding)
    {
        _mask?.Dispose();
        var firsts = Upload([.. padding.Select(count => (long)count)], 1).view(-1, 1, 1, 1);
        _mask = arange(_capacity, ScalarType.Int64, _model.Device).greater_equal(firsts).DetachFromDisposeScope();
        _padding = padding;
    }

    /// <summary>[row, count] positions of the next tokens, padding not counted; null where there is none.</summary>
    private Tensor? Positions(int count)
    {
        if (_padding is null) return null;
        var positions = new long[_padding.Length * count];
        for (int i = 0; i < positions.Length; i++) positions[i] = Math.Max(0, _cache.Length + (i % count) - _padding[i / count]);
        return Upload(positions, count);
    }

    /// <summary>Keeps the logits after the last of the hidden states, [row, token, hidden].</summary>
    private void Publish(Tensor hidden)
    {
        _logits?.Dispose();
        _hostLogits?.Dispose();
        _hostLogits = null;
        var last = hidden.select(1, hidden.shape[1] - 1);
        _logits = _model.Logits(last).to(ScalarType.Float32).contiguous().DetachFromDisposeScope();
    }

    private void BringToHost()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        _hostLogits = _logits!.cpu().alias().DetachFromDisposeScope();
        fixed (byte* start = _hostLogits.bytes) _firstLogit = (float*)start;
    }

    /// <summary>[n / columns, columns] on the model's device.</summary>
    private Tensor Upload(long[] values, int columns) => tensor(values, [values.Length / columns, columns], device: _model.Device);
}
