namespace DeepSeekR1.Rewards;

/// <summary>What the model wrote. Untrusted text: nothing in it is ever evaluated outside the sandbox.</summary>
public sealed record Completion
{
    /// <summary>The text, special tokens such as the end of turn left out.</summary>
    public required string Text { get; init; }

    /// <summary>The token ids as sampled; the text is never tokenised again. Empty where only the text is known.</summary>
    public ReadOnlyMemory<int> TokenIds { get; init; }

    /// <summary>Length in tokens, the end token included.</summary>
    public int TokenCount { get; init; }

    /// <summary>True when the length limit stopped it and not an end token.</summary>
    public bool IsTruncated { get; init; }
}
