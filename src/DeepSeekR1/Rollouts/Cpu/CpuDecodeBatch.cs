namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>Sequences that a <see cref="CpuDecoder"/> continues together.</summary>
internal sealed class CpuDecodeBatch(CpuDecoder decoder) : IDecodeBatch
{
    private readonly List<SequenceCache> _live = [];

    // Row of each live sequence's logits: copies of a prompt share one until they have tokens of their own.
    private readonly List<int> _rows = [];
    private int _usedRows;
    private int _maxNewTokens;
    private bool _isDisposed;

    public int Count => _live.Count;

    public bool CanJoin => true;

    public ReadOnlySpan<float> Logits(int sequence)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sequence, Count);
        return decoder.Logits(_rows[sequence]);
    }

    public void Join(IReadOnlyList<ReadOnlyMemory<int>> prompts, IReadOnlyList<int> copies, int maxNewTokens)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        foreach (var prompt in decoder.Read(prompts, copies, maxNewTokens, _usedRows))
        {
            for (int copy = 0; copy < prompt.Readers; copy++)
            {
                _live.Add(new SequenceCache(prompt));
                _rows.Add(_usedRows);
            }
            _usedRows++;
        }
        _maxNewTokens = Math.Max(_maxNewTokens, maxNewTokens);
    }

    public void Advance(ReadOnlySpan<int> keep, ReadOnlySpan<int> tokens)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        Check(keep, tokens);
        int kept = 0;
        for (int i = 0; i < _live.Count; i++)
        {
            if (kept < keep.Length && keep[kept] == i) _live[kept++] = _live[i];
            else decoder.Release(_live[i]);
        }
        _live.RemoveRange(kept, _live.Count - kept);
        _rows.Clear();
        _rows.AddRange(Enumerable.Range(0, kept));
        _usedRows = kept;
        decoder.Step(_live, tokens);
    }

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        foreach (var sequence in _live) decoder.Release(sequence);
        decoder.Close(this);
    }

    private void Check(ReadOnlySpan<int> keep, ReadOnlySpan<int> tokens)
    {
        if (keep.IsEmpty || keep.Length != tokens.Length)
            throw new ArgumentException($"one token for each sequence that stays, and at least one; {keep.Length} sequences and {tokens.Length} tokens given");
        for (int i = 0; i < keep.Length; i++)
        {
            if (keep[i] >= Count || keep[i] <= (i == 0 ? -1 : keep[i - 1]))
                throw new ArgumentException($"sequences that stay must ascend and be live (0 to {Count - 1}), found {keep[i]}", nameof(keep));
        }
        int longest = 0;
        foreach (int i in keep)
        {
            if (_live[i].Length == _maxNewTokens) throw new InvalidOperationException($"the batch was opened for {_maxNewTokens} new tokens a sequence, and they are used up");
            longest = Math.Max(longest, _live[i].Prompt.Length + _live[i].Length + 1);
        }
        if (longest > decoder.ContextLength)
            throw new R1Exception($"A sequence would reach {longest} tokens, but the model has {decoder.ContextLength} positions; lower maxNewTokens.");
    }
}
