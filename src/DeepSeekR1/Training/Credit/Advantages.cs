using DeepSeekR1.Rewards;

namespace DeepSeekR1.Training;

/// <summary>What an advantage is measured against.</summary>
public enum AdvantageBaseline
{
    /// <summary>The mean of the group (GRPO, arXiv 2402.03300, section 4.1.2).</summary>
    GroupMean,
    /// <summary>The mean of the other members of the group (RLOO, arXiv 2402.14740, section 2.3).</summary>
    LeaveOneOut,
}

/// <summary>What an advantage is divided by.</summary>
public enum AdvantageScale
{
    /// <summary>The standard deviation of its group (GRPO, section 4.1.2).</summary>
    Group,
    /// <summary>
    /// The standard deviation of all scores of the batch (Lite PPO, arXiv 2508.08221; REINFORCE++, arXiv 2501.03262 eq. 7, takes that of the
    /// scores less their group's mean).
    /// </summary>
    Batch,
    /// <summary>One (Dr. GRPO, arXiv 2503.20783, section 3.2).</summary>
    None,
}

/// <summary>Whether several rewards are added before or after they are normalised.</summary>
public enum RewardAggregation
{
    /// <summary>The weighted sum is normalised (GRPO).</summary>
    SumThenNormalize,
    /// <summary>Each reward is normalised inside its group, the weighted sum inside the batch (GDPO, arXiv 2601.05242 eq. 4, 6, 7).</summary>
    NormalizeThenSum,
}

/// <summary>
/// Scores of completions → advantages, by pure arithmetic. A null score ("abstains") is left out of means and deviations and has
/// advantage 0. Deviations are unbiased (n - 1); <see cref="Epsilon"/> is added before dividing.
/// </summary>
public static class Advantages
{
    /// <summary>Keeps a group of equal scores from dividing by zero.</summary>
    public const double Epsilon = 1e-4;

    /// <summary>Advantages by the estimator that the configuration names.</summary>
    /// <param name="groups">[group][completion] scores.</param>
    /// <param name="config">Which estimator.</param>
    /// <param name="rewardWeights">[reward] read where rewards are normalised before they are added; null: all one.</param>
    public static double[] Of(IReadOnlyList<IReadOnlyList<CompletionScore>> groups, GrpoLossConfig config, IReadOnlyList<double>? rewardWeights = null)
    {
        int[] sizes = [.. groups.Select(group => group.Count)];
        CompletionScore[] scores = [.. groups.SelectMany(group => group)];
        double?[] totals = [.. scores.Select(score => score.Total)];
        if (config.PassAtK is { } k) return PassAtKAdvantages.Of(totals, sizes, k);
        if (config.RewardAggregation == RewardAggregation.SumThenNormalize || scores.Length == 0)
            return OfTotals(totals, sizes, config.AdvantageScale, config.Baseline);
        double?[][] table = [.. Enumerable.Range(0, scores[0].ByReward.Count).Select(reward => scores.Select(score => score.ByReward[reward].Value).ToArray())];
        return NormalizedThenSummed(table, rewardWeights is null ? [.. table.Select(_ => 1.0)] : [.. rewardWeights], sizes);
    }

    /// <summary>Advantages of total scores: (r - baseline) / (deviation + ε).</summary>
    /// <param name="scores">[completion] group after group.</param>
    /// <param name="groupSizes">[group] their sum is the number of scores.</param>
    /// <param name="scale">What to divide by.</param>
    /// <param name="baseline">What to subtract.</param>
    /// <exception cref="ArgumentException">The group sizes do not add up to the number of scores.</exception>
    public static double[] OfTotals(ReadOnlySpan<double?> scores, ReadOnlySpan<int> groupSizes,
        AdvantageScale scale = AdvantageScale.Group, AdvantageBaseline baseline = AdvantageBaseline.GroupMean)
    {
        RequireGroups(scores.Length, groupSizes);
        double batchDeviation = Moments.Of(scores).Deviation;
        var advantages = new double[scores.Length];
        int start = 0;
        foreach (int size in groupSizes)
        {
            var group = Moments.Of(scores.Slice(start, size));
            double divisor = scale switch
            {
                AdvantageScale.Group => group.Deviation + Epsilon,
                AdvantageScale.Batch => batchDeviation + Epsilon,
                _ => 1,
            };
            // r - mean of the others = (r - mean of all) n / (n - 1)
            double stretch = baseline == AdvantageBaseline.LeaveOneOut && group.Count > 1 ? group.Count / (group.Count - 1.0) : 1;
            for (int i = start; i < start + size; i++)
                advantages[i] = scores[i] is { } score ? (score - group.Mean) * stretch / divisor : 0;
            start += size;
        }
        return advantages;
    }

    /// <summary>
    /// Advantages by GDPO: each reward is normalised inside its group, the weighted sum of these inside the batch, so that a reward of
    /// small spread counts as much as one of large spread.
    /// </summary>
    /// <param name="scores">[reward][completion] group after group.</param>
    /// <param name="weights">[reward]</param>
    /// <param name="groupSizes">[group]</param>
    /// <exception cref="ArgumentException">The sizes contradict each other.</exception>
    public static double[] NormalizedThenSummed(IReadOnlyList<double?[]> scores, ReadOnlySpan<double> weights, ReadOnlySpan<int> groupSizes)
    {
        if (scores.Count == 0 || scores.Count != weights.Length)
            throw new ArgumentException($"{scores.Count} rewards and {weights.Length} weights: expected one weight for each of at least one reward.", nameof(weights));
        var sums = new double?[scores[0].Length];
        for (int reward = 0; reward < scores.Count; reward++)
        {
            double[] normalized = OfTotals(scores[reward], groupSizes);
            for (int i = 0; i < sums.Length; i++)
                if (scores[reward][i] is not null) sums[i] = (sums[i] ?? 0) + weights[reward] * normalized[i];
        }
        return OfTotals(sums, [sums.Length]);
    }

    private static void RequireGroups(int count, ReadOnlySpan<int> groupSizes)
    {
        int total = 0;
        foreach (int size in groupSizes) total += size;
        if (total != count) throw new ArgumentException($"The group sizes add up to {total}, but there are {count} scores.", nameof(groupSizes));
    }
}

/// <summary>Count, mean and unbiased standard deviation of the scores that are not null.</summary>
internal readonly record struct Moments(int Count, double Mean, double Deviation)
{
    public static Moments Of(ReadOnlySpan<double?> scores)
    {
        int count = 0;
        double sum = 0, squares = 0;
        foreach (double? score in scores)
            if (score is { } value) (count, sum) = (count + 1, sum + value);
        if (count == 0) return default;
        double mean = sum / count;
        foreach (double? score in scores)
            if (score is { } value) squares += (value - mean) * (value - mean);
        return new Moments(count, mean, count > 1 ? Math.Sqrt(squares / (count - 1)) : 0);
    }
}
