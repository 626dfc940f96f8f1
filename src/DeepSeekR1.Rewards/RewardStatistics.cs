using System.Globalization;

namespace DeepSeekR1.Rewards;

/// <summary>A reward failed on so many completions of a step that going on would train on noise.</summary>
public sealed class RewardFailureException(string message, Exception innerException) : Exception(message, innerException);

/// <summary>What a step's scores say about its rewards, under TRL's metric names.</summary>
public static class RewardStatistics
{
    /// <summary>Entries of <see cref="RewardScore.Details"/> that are summed up: what a verdict cost, and how long it was waited for.</summary>
    internal const string Cost = "cost", Seconds = "seconds";

    /// <summary>
    /// <c>rewards/NAME/mean</c> and <c>/std</c> (unbiased) over the completions that the reward scored, <c>/abstained</c> and <c>/failed</c>:
    /// shares of all completions. The same in every run of a seed.
    /// </summary>
    /// <param name="rewards">Who gave the scores.</param>
    /// <param name="scores">All completions of a step.</param>
    public static IReadOnlyDictionary<string, double> Measure(WeightedRewards rewards, IReadOnlyList<CompletionScore> scores)
    {
        ArgumentNullException.ThrowIfNull(rewards);
        ArgumentNullException.ThrowIfNull(scores);
        var metrics = new Dictionary<string, double>();
        for (int r = 0; r < rewards.Items.Count; r++)
        {
            int column = r;
            string name = rewards.Items[r].Reward.Name;
            double[] values = [.. scores.Select(score => score.ByReward[column].Value).OfType<double>()];
            int failed = scores.Count(score => score.ByReward[column].Failure is not null);
            if (values.Length > 0)
            {
                metrics[$"rewards/{name}/mean"] = values.Average();
                metrics[$"rewards/{name}/std"] = StandardDeviation(values);
            }
            metrics[$"rewards/{name}/abstained"] = Share(scores.Count - values.Length - failed, scores.Count);
            metrics[$"rewards/{name}/failed"] = Share(failed, scores.Count);
        }
        return metrics;
    }

    /// <summary>
    /// <c>rewards/NAME/cost</c>, in the currency of a judge's prices, and <c>/seconds</c> that its verdicts were waited for, summed over the
    /// completions; only of rewards that tell. They differ from run to run: a cache pays for what was judged before.
    /// </summary>
    /// <param name="names">Names of the rewards, in the order of the scores.</param>
    /// <param name="scores">All completions of a step.</param>
    public static IReadOnlyDictionary<string, double> Spent(IReadOnlyList<string> names, IReadOnlyList<CompletionScore> scores)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(scores);
        var spent = new Dictionary<string, double>();
        for (int r = 0; r < names.Count; r++)
        {
            int column = r;
            foreach (string what in (string[])[Cost, Seconds])
            {
                string[] amounts = [.. scores.Select(score => score.ByReward[column].Details?.GetValueOrDefault(what)).OfType<string>()];
                if (amounts.Length > 0) spent[$"rewards/{names[r]}/{what}"] = amounts.Sum(amount => double.TryParse(amount, CultureInfo.InvariantCulture, out double value) ? value : 0);
            }
        }
        return spent;
    }

    /// <summary>Stops a run whose rewards are broken.</summary>
    /// <param name="rewards">Who gave the scores.</param>
    /// <param name="scores">All completions of a step.</param>
    /// <param name="maxShare">The largest tolerated share of failures of one reward, 0 to 1.</param>
    /// <exception cref="RewardFailureException">A reward failed on more than <paramref name="maxShare"/> of them; holds the first failure.</exception>
    public static void ThrowIfTooManyFailed(WeightedRewards rewards, IReadOnlyList<CompletionScore> scores, double maxShare = 0.5)
    {
        ArgumentNullException.ThrowIfNull(rewards);
        ArgumentNullException.ThrowIfNull(scores);
        for (int r = 0; r < rewards.Items.Count; r++)
        {
            int column = r;
            Exception[] failures = [.. scores.Select(score => score.ByReward[column].Failure).OfType<Exception>()];
            if (Share(failures.Length, scores.Count) > maxShare)
                throw new RewardFailureException(
                    $"reward '{rewards.Items[r].Reward.Name}' failed on {failures.Length} of {scores.Count} completions: {failures[0].Message}", failures[0]);
        }
    }

    /// <summary>Unbiased; 0 for fewer than two values.</summary>
    internal static double StandardDeviation(IReadOnlyList<double> values)
    {
        if (values.Count < 2) return 0;
        double mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
    }

    private static double Share(int part, int all) => all == 0 ? 0 : (double)part / all;
}
