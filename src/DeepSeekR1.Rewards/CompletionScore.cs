namespace DeepSeekR1.Rewards;

/// <summary>What several rewards together say about one completion.</summary>
/// <param name="Total">The weighted whole; null when the completion must not be trained on (a reward failed, or none could judge).</param>
/// <param name="ByReward">Each reward's own verdict, unweighted, in the order of <see cref="WeightedRewards.Items"/>.</param>
public sealed record CompletionScore(double? Total, IReadOnlyList<RewardScore> ByReward);
