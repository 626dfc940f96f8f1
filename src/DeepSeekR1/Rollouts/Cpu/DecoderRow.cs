namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>A prompt and its keys and values, read by every sequence that forks from it.</summary>
internal sealed class PromptCache(ReadOnlyMemory<int> ids, KvBlock cache) : IDisposable
{
    public ReadOnlyMemory<int> Ids => ids;

    public KvBlock Cache => cache;

    public int Length => ids.Length;

    /// <summary>Sequences that read it.</summary>
    public int Readers { get; set; }

    public void Dispose() => cache.Dispose();
}

/// <summary>A sequence that forked from a prompt: what it generated itself.</summary>
internal sealed class SequenceCache(PromptCache prompt)
{
    public PromptCache Prompt => prompt;

    /// <summary>Pages of keys and values, all full but the last.</summary>
    public List<KvBlock> Pages { get; } = [];

    /// <summary>Tokens held, that of the running step included.</summary>
    public int Length { get; private set; }

    /// <summary>Where keys and values of a token lie: the page, and the place in it.</summary>
    public (KvBlock Page, int Token) PlaceOf(int token) => (Pages[token / Pages[0].Capacity], token % Pages[0].Capacity);

    /// <summary>Makes room for one more token, in a page of <paramref name="takePage"/> when the last one is full.</summary>
    public void Extend(Func<KvBlock> takePage)
    {
        if (Pages.Count == 0 || Length == Pages.Count * Pages[^1].Capacity) Pages.Add(takePage());
        Length++;
    }
}

/// <summary>One token on its way through the layers.</summary>
/// <param name="Token">Its id.</param>
/// <param name="Position">Its place, counted from the prompt's first token.</param>
/// <param name="Prompt">The prompt that it belongs to or follows.</param>
/// <param name="Sequence">The sequence that it belongs to; null for a token of the prompt itself.</param>
internal readonly record struct DecoderRow(int Token, int Position, PromptCache Prompt, SequenceCache? Sequence)
{
    /// <summary>Tokens of the prompt that it attends to.</summary>
    public int VisiblePrompt => Math.Min(Position + 1, Prompt.Length);

    /// <summary>Tokens of its sequence that it attends to, itself included.</summary>
    public int VisibleOwn => Sequence is null ? 0 : Position + 1 - Prompt.Length;

    /// <summary>True for the last token of its sequence, as all are while tokens are drawn one by one.</summary>
    public bool IsNewest => Sequence is not null && VisibleOwn == Sequence.Length;
}
