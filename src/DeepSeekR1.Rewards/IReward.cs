namespace DeepSeekR1.Rewards;

/// <summary>
/// Judges one completion of one prompt. Stateless and safe to call from many threads at once. The rule of all rewards: where in
/// doubt, abstain or say wrong, never right; in reinforcement learning the policy finds every hole.
/// </summary>
public interface IReward : IGroupReward
{
    /// <summary>Scores one completion.</summary>
    ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default);

    async ValueTask<IReadOnlyList<RewardScore>> IGroupReward.ScoreGroupAsync(
        Prompt prompt, IReadOnlyList<Completion> completions, CancellationToken cancellationToken)
    {
        var scores = new RewardScore[completions.Count];
        for (int i = 0; i < scores.Length; i++)
            scores[i] = await ScoreAsync(prompt, completions[i], cancellationToken).ConfigureAwait(false);
        return scores;
    }
}
