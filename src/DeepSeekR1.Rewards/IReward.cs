namespace DeepSeekR1.Rewards;

/// <summary>
/// Judges one completion of one prompt. Stateless and safe to call from many threads at once. The rule of all rewards: where in
/// doubt, abstain or say wrong, never right; in reinforcement learning the policy finds every hole.
/// </summary>
public interface IReward
{
    /// <summary>Short name in lower-case words joined by underscores; becomes the metric <c>rewards/NAME/mean</c>.</summary>
    string Name { get; }

    /// <summary>Scores one completion.</summary>
    ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default);
}
