using DeepSeekR1.Data;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Tests.Training;
using DeepSeekR1.Training;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Stages;

/// <summary>Failures in the middle of a run that is no fault of its config.</summary>
public sealed class FailureTests : IDisposable
{
    private const int Steps = 6;

    private readonly RewardedRuns _runs = new();

    [Fact]
    public async Task A_reward_service_that_is_down_stops_the_run_which_goes_on_when_it_is_up()
    {
        // Nothing listens there: a real refusal, after the judge's own retries.
        using var client = new OpenAICompatibleClient(new Uri("http://127.0.0.1:1/v1"), "judge");
        var judge = new JudgeReward(client, Rubric.Helpful, new JudgeOptions { MaxAttempts = 2, FirstDelay = TimeSpan.FromTicks(1) });
        int asked = 0, downFrom = int.MaxValue;
        var reward = Reward.From("judge", (prompt, completion, cancellationToken) =>
            Interlocked.Increment(ref asked) > downFrom ? judge.ScoreAsync(prompt, completion, cancellationToken) : new(completion.Text.Sum(letter => letter) % 97));

        byte[] whole = await _runs.RunAsync("whole", Steps, reward);
        (asked, downFrom) = (0, 3 * 16);
        var failure = await Assert.ThrowsAsync<R1Exception>(() => _runs.RunAsync("parted", Steps, reward));
        Assert.StartsWith("zero, step 4: reward 'judge' failed on 16 of 16 completions: the judge could not be asked in 2 attempts: ", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("The 3 steps before it are saved: once the reward works again, go on with --resume.", failure.Message, StringComparison.Ordinal);

        downFrom = int.MaxValue;
        Assert.Equal(whole, await _runs.RunAsync("parted", Steps, reward));
        Assert.Equal(File.ReadAllBytes(_runs.PathOf("whole", "metrics.jsonl")), File.ReadAllBytes(_runs.PathOf("parted", "metrics.jsonl")));
    }

    [Fact]
    public async Task Updates_that_are_not_finite_are_skipped_and_counted_until_there_are_too_many_in_a_row()
    {
        using var policy = PolicyModel.Load(_runs.Base, _runs.Runtime);
        SftExample[] examples = [.. Enumerable.Range(0, 40).Select(i => new TextExample($"{i}", "", $"tom has {i % 20} . may + 4 ."))];
        using var trainer = SftTrainer.On(examples, policy, new SftConfig { BatchSize = 4, ToleratedSkips = 2 });
        var norm = policy.Model.Parameters["model.norm.weight"];
        float sound = norm[0].item<float>();
        Assert.Equal(0, await SkippedAsync());
        foreach (float broken in new[] { float.NaN, float.PositiveInfinity })
        {
            Set(broken);
            using var before = policy.Model.Parameters["model.layers.0.mlp.up_proj.weight"].detach().clone();
            Assert.Equal(1, await SkippedAsync());
            Assert.Equal(1, await SkippedAsync());
            Assert.Equal(0, policy.Model.Parameters["model.layers.0.mlp.up_proj.weight"].LargestDifference(before));
            Set(sound);
            Assert.Equal(0, await SkippedAsync());
        }
        Set(float.NaN);
        await SkippedAsync();
        await SkippedAsync();
        var failure = await Assert.ThrowsAsync<R1Exception>(SkippedAsync);
        Assert.StartsWith("Loss or gradient was NaN or infinite in 3 updates in a row (step 10): the weights were left as they were each time.", failure.Message, StringComparison.Ordinal);
        Assert.Contains("optimizer.learningRate", failure.Message, StringComparison.Ordinal);

        async Task<double> SkippedAsync() => (await trainer.StepAsync(TestContext.Current.CancellationToken)).Metrics["updates/skipped"];
        void Set(float value)
        {
            using var noGrad = no_grad();
            using var scope = NewDisposeScope();
            norm[0] = tensor(value);
        }
    }

    public void Dispose() => _runs.Dispose();
}
