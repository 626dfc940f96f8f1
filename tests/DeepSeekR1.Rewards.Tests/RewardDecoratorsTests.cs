using static DeepSeekR1.Rewards.Tests.Scoring;

namespace DeepSeekR1.Rewards.Tests;

public class RewardDecoratorsTests
{
    private static readonly IReward _two = Reward.From("two", (_, _) => 2.0);
    private static readonly IReward _silent = Reward.From("silent", (_, _) => RewardScore.Abstain("no rule"));
    private static readonly IGroupReward _group = Reward.FromGroup("group", (_, completions) => [.. completions.Select(_ => new RewardScore(2))]);

    [Fact]
    public async Task Scales_clamps_and_renames()
    {
        Assert.Equal(7.0, await Of(_two.Scaled(3, 1), ""));
        Assert.Equal(1.0, await Of(_two.Clamped(0, 1), ""));
        Assert.Null(await Of(_silent.Scaled(3, 1).Clamped(0, 1), ""));
        Assert.Equal("other", _two.Named("other").Name);
        Assert.Equal("two", _two.Scaled(2).Name);
        Assert.Throws<ArgumentException>(() => _two.Clamped(1, 0));
    }

    [Fact]
    public async Task Group_rewards_are_wrapped_too()
    {
        var wrapped = _group.Scaled(3).Clamped(0, 5).Named("wrapped").WithTimeout(TimeSpan.FromSeconds(20));
        var scores = await wrapped.ScoreGroupAsync(Prompt(), [Completion("a"), Completion("b")]);
        Assert.Equal(("wrapped", 5.0, 5.0), (wrapped.Name, scores[0].Value, scores[1].Value));
    }

    [Fact]
    public void A_reward_of_single_completions_stays_one()
    {
        IGroupReward reward = _two;
        Assert.IsType<IReward>(reward.Scaled(2).Clamped(0, 1).Named("x").Logged((_, _, _) => { }).WithTimeout(TimeSpan.FromSeconds(1)), exactMatch: false);
    }

    [Fact]
    public async Task Logs_every_verdict()
    {
        var log = new List<string>();
        await Of(_two.Logged((_, completion, score) => log.Add($"{completion.Text}={score.Value}")), "a");
        await _group.Logged((_, completion, score) => log.Add($"{completion.Text}={score.Value}")).ScoreGroupAsync(Prompt(), [Completion("b"), Completion("c")]);
        Assert.Equal(["a=2", "b=2", "c=2"], log);
    }

    [Fact]
    public async Task A_verdict_that_takes_too_long_is_a_failure()
    {
        var cancelled = new TaskCompletionSource();
        var slow = Reward.From("slow", async (_, _, token) =>
        {
            token.Register(cancelled.SetResult);
            await Task.Delay(Timeout.Infinite, token);
            return 1.0;
        });
        var scores = await WeightedRewards.Of((slow.WithTimeout(TimeSpan.FromMilliseconds(20)), 1)).ScoreAsync(Prompt(), [Completion("a")]);
        Assert.IsType<TimeoutException>(scores[0].ByReward[0].Failure);
        Assert.Equal("failed: reward 'slow' took longer than 0.02 s", scores[0].ByReward[0].Reason);
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_reward_that_never_awaits_cannot_hold_up_the_caller()
    {
        using var release = new ManualResetEventSlim();
        var blocking = Reward.From("blocking", RewardScore (_, _) =>
        {
            release.Wait(TimeSpan.FromSeconds(20));
            return 1.0;
        });
        await Assert.ThrowsAsync<TimeoutException>(async () => await blocking.WithTimeout(TimeSpan.FromMilliseconds(20)).ScoreAsync(Prompt(), Completion("a")));
        release.Set();
    }

    [Fact]
    public async Task Cached_verdicts_are_asked_once_and_forgotten_in_order()
    {
        var asked = new List<string>();
        var cached = Reward.From("counting", RewardScore (_, completion) =>
        {
            asked.Add(completion.Text);
            return asked.Count;
        }).Cached(capacity: 2);
        Assert.Equal(1.0, await Of(cached, "a"));
        Assert.Equal(1.0, await Of(cached, "a"));
        Assert.Equal(2.0, await Of(cached, "a", Prompt("another gold")));
        Assert.Equal(3.0, await Of(cached, "b"));
        Assert.Equal(4.0, await Of(cached, "a"));
    }

    [Fact]
    public async Task Failures_are_not_remembered()
    {
        int calls = 0;
        var cached = Reward.From("flaky", RewardScore (_, _) => ++calls == 1 ? throw new InvalidOperationException("once") : 1.0).Cached();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Of(cached, "a"));
        Assert.Equal(1.0, await Of(cached, "a"));
    }
}
