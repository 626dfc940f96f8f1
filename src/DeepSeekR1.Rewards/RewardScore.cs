namespace DeepSeekR1.Rewards;

/// <summary>The verdict of one reward on one completion.</summary>
/// <param name="Value">The score; null abstains: a text that no rule can judge is neither right nor wrong.</param>
/// <param name="Reason">A few words that explain the value ("boxed 12, expected 14").</param>
public readonly record struct RewardScore(double? Value, string? Reason = null)
{
    /// <summary>Neither right nor wrong.</summary>
    public static RewardScore Abstain(string reason) => new(null, reason);

    /// <summary>A score without explanation.</summary>
    public static implicit operator RewardScore(double value) => new(value);
}
