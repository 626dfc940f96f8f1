namespace DeepSeekR1.Rewards;

/// <summary>Wraps rewards: each method gives a new reward and leaves the given one as it is.</summary>
public static class RewardDecorators
{
    /// <summary>The same reward under another name.</summary>
    public static IGroupReward Named(this IGroupReward reward, string name) => reward is IReward single
        ? Reward.From(name, single.ScoreAsync)
        : Reward.FromGroup(name, reward.ScoreGroupAsync);
}
