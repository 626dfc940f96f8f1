using System.Collections.Concurrent;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using DeepSeekR1.Training;

namespace DeepSeekR1.Tests.Training;

/// <summary>Rewards are computed while the rest is still sampled, and the results do not show it.</summary>
public sealed class RewardOverlapTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-overlap-");
    private readonly PolicyModel _policy;

    public RewardOverlapTests() =>
        _policy = PolicyModel.Load(EmbeddedModels.Resolve("embedded:mini-base", _folder.FullName), TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 }));

    // One sequence at a time, so that a prompt's rollouts end before the next prompt's begin.
    private static GrpoConfig Config => GrpoTrainerTests.Config with { PromptsPerStep = 3, GroupSize = 3, Limits = new RolloutLimits { MaxSequences = 1 } };

    [Fact]
    public async Task A_slow_reward_is_under_way_while_the_next_groups_are_sampled()
    {
        var events = new ConcurrentQueue<string>();
        TaskCompletionSource scoring = new(TaskCreationOptions.RunContinuationsAsynchronously), sampled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        // The reward of the first prompt does not end before everything is sampled; sampling does not end before that reward has begun.
        var slow = Reward.From("slow", async (prompt, completion, cancellationToken) =>
        {
            if (prompt.Id != "p0") return Pay(completion);
            if (scoring.TrySetResult()) events.Enqueue("scoring");
            await sampled.Task.WaitAsync(_patience, cancellationToken);
            return Pay(completion);
        });
        using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((slow, 1)), Config)
        {
            Prompts = GrpoTrainerTests.Ask,
            RolloutProgress = new Listener(progress =>
            {
                if (progress.FinishedSequences == 8) Assert.True(scoring.Task.Wait(_patience), "the first group is not scored while the last is sampled");
                if (progress.FinishedSequences < progress.TotalSequences) return;
                events.Enqueue("sampled");
                sampled.SetResult();
            }),
        };
        var report = await trainer.StepAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["scoring", "sampled"], events);
        Assert.Equal(3, report.Groups.Count);
    }

    [Fact]
    public async Task Results_equal_those_of_first_sampling_and_then_scoring()
    {
        var rewards = WeightedRewards.Of((Reward.From("pay", (_, completion) => Pay(completion)), 1));
        EncodedPrompt[] prompts = [.. Enumerable.Range(0, 3).Select(i => _policy.Encode(GrpoTrainerTests.Ask(i), i))];
        var groups = _policy.Engine(new RolloutLimits()).Generate(
            prompts, Config.GroupSize, Config.Sampling, new RolloutAddress(new AddressedRandom(1, RandomPurpose.Rollout), 0), cancellationToken: TestContext.Current.CancellationToken);
        var expected = new List<string>();
        foreach (var group in groups)
            expected.Add(Describe(group, await rewards.ScoreAsync(group.Prompt.Prompt, [.. group.Rollouts.Select(rollout => rollout.Completion)], TestContext.Current.CancellationToken)));

        using var trainer = new GrpoTrainer(_policy, rewards, Config) { Prompts = GrpoTrainerTests.Ask };
        var report = await trainer.StepAsync(TestContext.Current.CancellationToken);
        Assert.Equal(expected, report.Groups.Select(scored => Describe(scored.Group, scored.Scores)));
    }

    [Fact]
    public async Task A_cancelled_step_cancels_the_rewards_under_way_and_leaves_none_behind()
    {
        using var source = new CancellationTokenSource();
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var endless = Reward.From("endless", async (_, completion, cancellationToken) =>
        {
            begun.TrySetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            finally
            {
                ended.TrySetResult();
            }
            return Pay(completion);
        });
        using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((endless, 1)), Config)
        {
            Prompts = GrpoTrainerTests.Ask,
            RolloutProgress = new Listener(progress =>
            {
                if (progress.FinishedSequences != 5) return;
                begun.Task.Wait(_patience);
                source.Cancel();
            }),
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => trainer.StepAsync(source.Token));
        Assert.True(ended.Task.IsCompleted);
        Assert.Equal(0, trainer.Step);
    }

    public void Dispose()
    {
        _policy.Dispose();
        _folder.Delete(recursive: true);
    }

    private static double Pay(Completion completion) => completion.Text.Sum(letter => letter) % 97;

    private static string Describe(RolloutGroup group, IReadOnlyList<CompletionScore> scores) =>
        $"{group.Prompt.Index}: {string.Join(" | ", group.Rollouts.Zip(scores, (rollout, score) => $"{string.Join(' ', rollout.Ids.ToArray())} {string.Join(' ', rollout.LogProbs.ToArray())} = {score.Total:R}"))}";

    private sealed class Listener(Action<RolloutProgress> report) : IProgress<RolloutProgress>
    {
        public void Report(RolloutProgress value) => report(value);
    }
}
