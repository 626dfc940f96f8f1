using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;

namespace DeepSeekR1.Training;

/// <summary>What a batch of scored rollouts looks like, by TRL's metric names.</summary>
public static class RolloutMetrics
{
    /// <summary>Deviations below this count as zero.</summary>
    private const double ZeroDeviation = 1e-8;

    /// <summary>
    /// <c>reward</c>, <c>reward_std</c>, <c>frac_reward_zero_std</c>, <c>rewards/NAME/mean|std</c> over the scores that are not null
    /// (absent where a reward never spoke), and <c>completions/*</c> in tokens.
    /// </summary>
    /// <param name="groups">Scored rollouts.</param>
    /// <param name="rewardNames">[reward] in the order of the scores.</param>
    public static Dictionary<string, double> Of(IReadOnlyList<ScoredGroup> groups, IReadOnlyList<string> rewardNames)
    {
        var metrics = new Dictionary<string, double>();
        CompletionScore[] scores = [.. groups.SelectMany(group => group.Scores)];
        Rollout[] rollouts = [.. groups.SelectMany(group => group.Group.Rollouts)];
        if (rollouts.Length == 0) return metrics;

        for (int reward = 0; reward < rewardNames.Count; reward++)
            if (Moments.Of([.. scores.Select(score => score.ByReward[reward].Value)]) is { Count: > 0 } moments)
                (metrics[$"rewards/{rewardNames[reward]}/mean"], metrics[$"rewards/{rewardNames[reward]}/std"]) = (moments.Mean, moments.Deviation);
        var totals = Moments.Of([.. scores.Select(score => score.Total)]);
        (metrics["reward"], metrics["reward_std"]) = (totals.Mean, totals.Deviation);
        metrics["frac_reward_zero_std"] = groups.Sum(group => IsFlat(group) ? group.Scores.Count : 0) / (double)scores.Length;

        Lengths(metrics, "", [.. rollouts.Select(rollout => rollout.Ids.Length)]);
        Lengths(metrics, "terminated_", [.. rollouts.Where(rollout => !rollout.Completion.IsTruncated).Select(rollout => rollout.Ids.Length)]);
        metrics["completions/clipped_ratio"] = rollouts.Count(rollout => rollout.Completion.IsTruncated) / (double)rollouts.Length;
        return metrics;
    }

    /// <summary>True where some completion of the group scored better than another, so that there is something to learn.</summary>
    public static bool HasSignal(ScoredGroup group) => MomentsOf(group).Deviation >= ZeroDeviation;

    /// <summary>All scores equal. A group in which all but one abstain has no deviation at all, not even zero.</summary>
    private static bool IsFlat(ScoredGroup group) =>
        MomentsOf(group) is { Count: > 0 } moments && moments.Deviation < ZeroDeviation && (moments.Count > 1 || group.Scores.Count == 1);

    private static Moments MomentsOf(ScoredGroup group) => Moments.Of([.. group.Scores.Select(score => score.Total)]);

    private static void Lengths(Dictionary<string, double> metrics, string which, int[] lengths)
    {
        metrics[$"completions/mean_{which}length"] = lengths.Length > 0 ? lengths.Average() : 0;
        metrics[$"completions/min_{which}length"] = lengths.DefaultIfEmpty(0).Min();
        metrics[$"completions/max_{which}length"] = lengths.DefaultIfEmpty(0).Max();
    }
}
