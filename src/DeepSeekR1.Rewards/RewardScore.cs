namespace DeepSeekR1.Rewards;

/// <summary>The verdict of one reward on one completion.</summary>
/// <param name="Value">The score; null abstains: a text that no rule can judge is neither right nor wrong.</param>
/// <param name="Reason">A few words that explain the value ("boxed 12, expected 14").</param>
public readonly record struct RewardScore(double? Value, string? Reason = null)
{
    /// <summary>What else is worth keeping beside the completion: the extracted answer, counts, a judge's words. Null when nothing is.</summary>
    public IReadOnlyDictionary<string, string>? Details { get; init; }

    /// <summary>What went wrong when the reward itself failed (threw or timed out); null when it judged or abstained.</summary>
    public Exception? Failure { get; init; }

    /// <summary>Neither right nor wrong.</summary>
    public static RewardScore Abstain(string reason) => new(null, reason);

    /// <summary>The reward broke: the sample must not be trained on, and the failure is counted.</summary>
    public static RewardScore Failed(Exception failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return new(null, $"failed: {failure.Message}") { Failure = failure };
    }

    /// <summary>A score without explanation.</summary>
    public static implicit operator RewardScore(double value) => new(value);
}
