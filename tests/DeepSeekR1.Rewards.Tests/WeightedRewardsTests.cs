using static DeepSeekR1.Rewards.Tests.Scoring;

namespace DeepSeekR1.Rewards.Tests;

public class WeightedRewardsTests
{
    private static readonly Completion[] _two = [Completion("a", 1), Completion("bb", 2)];
    private static readonly IReward _length = Reward.From("length", (_, completion) => completion.TokenCount);
    private static readonly IReward _silent = Reward.From("silent", (_, _) => RewardScore.Abstain("no rule"));
    private static readonly IReward _broken = Reward.From("broken", RewardScore (_, completion) =>
        completion.TokenCount == 2 ? throw new InvalidOperationException("two is too many") : 1.0);

    [Fact]
    public async Task Sum_of_weighted_scores()
    {
        var scores = await WeightedRewards.Of((_length, 2), (Reward.From("one", (_, _) => 1.0), 0.5)).ScoreAsync(Prompt(), _two);
        Assert.Equal([2.5, 4.5], scores.Select(score => score.Total));
        Assert.Equal([2.0, 1.0], scores[1].ByReward.Select(score => score.Value));
    }

    [Fact]
    public async Task Product_gates()
    {
        var gate = Reward.From("gate", (_, completion) => completion.TokenCount == 2 ? 1.0 : 0.0);
        var rewards = WeightedRewards.Of((_length, 2), (gate, 1)) with { Aggregation = RewardAggregation.Product };
        Assert.Equal([0.0, 4.0], (await rewards.ScoreAsync(Prompt(), _two)).Select(score => score.Total));
    }

    [Fact]
    public async Task An_abstaining_reward_is_left_out_or_masks()
    {
        var rewards = WeightedRewards.Of((_length, 1), (_silent, 1));
        Assert.Equal([1.0, 2.0], Totals(await rewards.ScoreAsync(Prompt(), _two)));
        Assert.Equal([null, null], Totals(await (rewards with { Abstention = Abstention.Mask }).ScoreAsync(Prompt(), _two)));
        Assert.Equal([null, null], Totals(await (rewards with { Aggregation = RewardAggregation.Product }).ScoreAsync(Prompt(), _two)));
        Assert.Equal([null, null], Totals(await WeightedRewards.Of((_silent, 1)).ScoreAsync(Prompt(), _two)));
    }

    [Fact]
    public async Task A_reward_that_throws_masks_only_its_sample_and_is_counted()
    {
        var rewards = WeightedRewards.Of((_length, 1), (_broken, 1));
        var scores = await rewards.ScoreAsync(Prompt(), _two);
        Assert.Equal([2.0, null], Totals(scores));
        Assert.Equal("failed: two is too many", scores[1].ByReward[1].Reason);
        Assert.Equal(2.0, scores[1].ByReward[0].Value);

        var metrics = RewardStatistics.Measure(rewards, scores);
        Assert.Equal(0.5, metrics["rewards/broken/failed"]);
        Assert.Equal(0.0, metrics["rewards/length/failed"]);
        Assert.Equal(1.5, metrics["rewards/length/mean"]);
        Assert.Equal(Math.Sqrt(0.5), metrics["rewards/length/std"], 12);
    }

    [Fact]
    public async Task Too_many_failures_stop_the_run_and_name_the_exception()
    {
        var rewards = WeightedRewards.Of((_broken, 1));
        var scores = await rewards.ScoreAsync(Prompt(), _two);
        RewardStatistics.ThrowIfTooManyFailed(rewards, scores);
        var stop = Assert.Throws<RewardFailureException>(() => RewardStatistics.ThrowIfTooManyFailed(rewards, scores, 0.4));
        Assert.Equal("reward 'broken' failed on 1 of 2 completions: two is too many", stop.Message);
        Assert.IsType<InvalidOperationException>(stop.InnerException);
    }

    [Fact]
    public async Task A_watched_reward_never_masks() =>
        Assert.Equal([1.0, 2.0], Totals(await WeightedRewards.Of((_length, 1), (_broken, 0)).ScoreAsync(Prompt(), _two)));

    [Fact]
    public async Task Each_reward_can_be_normalised_within_the_group()
    {
        var rewards = WeightedRewards.Of((_length, 2)) with { NormalizePerReward = true };
        double z = 0.5 / (Math.Sqrt(0.5) + 1e-4);
        Assert.Equal([-2 * z, 2 * z], (await rewards.ScoreAsync(Prompt(), _two)).Select(score => score.Total!.Value), Close);
    }

    [Fact]
    public async Task A_score_that_is_no_number_is_a_failure()
    {
        var scores = await WeightedRewards.Of((Reward.From("nan", (_, _) => double.NaN), 1)).ScoreAsync(Prompt(), _two);
        Assert.NotNull(scores[0].ByReward[0].Failure);
        Assert.Null(scores[0].Total);
    }

    [Fact]
    public async Task A_group_reward_must_judge_all()
    {
        var scores = await WeightedRewards.Of((Reward.FromGroup("lazy", (_, _) => [1.0]), 1)).ScoreAsync(Prompt(), _two);
        Assert.Contains("gave 1 scores for 2 completions", scores[1].ByReward[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_cancels()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        var waiting = Reward.From("waiting", async (_, _, token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            return 1.0;
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await WeightedRewards.Of((waiting, 1)).ScoreAsync(Prompt(), _two, source.Token));
    }

    [Fact]
    public void Names_are_unique_and_weights_finite()
    {
        Assert.Contains("two rewards are named 'length'", Assert.Throws<ArgumentException>(() => WeightedRewards.Of((_length, 1), (_length, 2))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => WeightedRewards.Of((_length, double.NaN)));
        Assert.Throws<ArgumentException>(() => WeightedRewards.Of());
        Assert.Throws<ArgumentException>(() => Reward.From("a/b", (_, _) => 1.0));
    }

    private static double?[] Totals(IEnumerable<CompletionScore> scores) => [.. scores.Select(score => score.Total)];

    private static bool Close(double a, double b) => Math.Abs(a - b) < 1e-12;
}
