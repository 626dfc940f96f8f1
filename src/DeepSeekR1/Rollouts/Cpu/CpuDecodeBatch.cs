namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>Sequences that a <see cref="CpuDecoder"/> continues together.</summary>
internal sealed class CpuDecodeBatch : IDecodeBatch
{
    private readonly CpuDecoder _decoder;
    private readonly PromptCache[] _prompts;
    private readonly int _maxNewTokens;
    private readonly int[] _promptOf;
    private List<SequenceCache> _live;
    private int _steps;
    private bool _isDisposed;

    public CpuDecodeBatch(CpuDecoder decoder, PromptCache[] prompts, IReadOnlyList<int> copies, int maxNewTokens)
    {
        (_decoder, _prompts, _maxNewTokens) = (decoder, prompts, maxNewTokens);
        _promptOf = [.. prompts.SelectMany((_, i) => Enumerable.Repeat(i, copies[i]))];
        _live = [.. _promptOf.Select(prompt => new SequenceCache(prompts[prompt]))];
    }

    public int Count => _live.Count;

    public ReadOnlySpan<float> Logits(int sequence)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sequence, Count);
        return _decoder.Logits(_steps == 0 ? _promptOf[sequence] : sequence);
    }

    public void Advance(ReadOnlySpan<int> keep, ReadOnlySpan<int> tokens)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        Check(keep, tokens);
        var kept = new List<SequenceCache>(keep.Length);
        int next = 0;
        for (int i = 0; i < _live.Count; i++)
        {
            if (next < keep.Length && keep[next] == i)
            {
                kept.Add(_live[i]);
                next++;
            }
            else _decoder.Release(_live[i]);
        }
        _live = kept;
        _steps++;
        _decoder.Step(_live, tokens);
    }

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        foreach (var sequence in _live) _decoder.Release(sequence);
        foreach (var prompt in _prompts) prompt.Dispose();
        _decoder.Close(this);
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
        if (_steps == _maxNewTokens) throw new InvalidOperationException($"the batch was opened for {_maxNewTokens} new tokens a sequence, and they are used up");
        int longest = 0;
        foreach (int i in keep) longest = Math.Max(longest, _live[i].Prompt.Length + _live[i].Length + 1);
        if (longest > _decoder.ContextLength)
            throw new R1Exception($"A sequence would reach {longest} tokens, but the model has {_decoder.ContextLength} positions; lower maxNewTokens.");
    }
}
