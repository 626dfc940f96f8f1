using System.Globalization;
using System.Text.Json;
using DeepSeekR1.Rewards;

namespace DeepSeekR1.Tests.Stages;

/// <summary>What judges cost and how long they were waited for differs from run to run, and so is kept apart from the metrics.</summary>
public sealed class JudgeSpendingTests : IDisposable
{
    private readonly RewardedRuns _runs = new();

    [Fact]
    public async Task A_slower_and_dearer_judge_changes_the_timings_and_not_the_metrics()
    {
        await _runs.RunAsync("first", steps: 2, Judge(cost: 0.5, seconds: 2));
        await _runs.RunAsync("second", steps: 2, Judge(cost: 0, seconds: 0.25));
        Assert.Equal(File.ReadAllBytes(_runs.PathOf("first", "metrics.jsonl")), File.ReadAllBytes(_runs.PathOf("second", "metrics.jsonl")));
        Assert.Equal([(8, 32), (8, 32)], Spent("first"));
        Assert.Equal([(0, 4), (0, 4)], Spent("second"));
    }

    public void Dispose() => _runs.Dispose();

    private (double Cost, double Seconds)[] Spent(string run) =>
    [
        .. File.ReadLines(_runs.PathOf(run, "timings.jsonl")).Select(line => JsonElement.Parse(line))
            .Select(step => (step.GetProperty("rewards/judge/cost").GetDouble(), step.GetProperty("rewards/judge/seconds").GetDouble())),
    ];

    private static IReward Judge(double cost, double seconds)
    {
        var details = new Dictionary<string, string> { ["cost"] = cost.ToString(CultureInfo.InvariantCulture), ["seconds"] = seconds.ToString(CultureInfo.InvariantCulture) };
        return Reward.From("judge", (_, completion) => new RewardScore(completion.Text.Sum(letter => letter) % 97) { Details = details });
    }
}
