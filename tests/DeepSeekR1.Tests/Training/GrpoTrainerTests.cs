using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using DeepSeekR1.Training;

namespace DeepSeekR1.Tests.Training;

public sealed class GrpoTrainerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-trainer-");
    private readonly PolicyModel _policy;

    public GrpoTrainerTests()
    {
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 });
        _policy = PolicyModel.Load(EmbeddedModels.Resolve("embedded:mini-base", _folder.FullName), runtime);
    }

    internal static GrpoConfig Config => new()
    {
        Steps = 1000,
        PromptsPerStep = 2,
        GroupSize = 8,
        Sampling = new SamplingConfig { MaxNewTokens = 24 },
        Loss = new GrpoLossConfig { EpsilonLow = 0.2, Beta = 0 },
        Optimizer = new OptimizerConfig { LearningRate = 1e-3 },
    };

    internal static Prompt Ask(int position) => new() { Id = $"p{position}", Text = $"tom has {position % 20} . may + 4 , june - 2 . how many now ?" };

    [Fact]
    public async Task A_few_steps_bring_what_is_paid_for()
    {
        var shorter = Reward.From("short", (_, completion) => -completion.TokenCount);
        using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((shorter, 1)), Config) { Prompts = Ask };
        var lengths = new List<double>();
        await foreach (var step in trainer.TrainAsync(TestContext.Current.CancellationToken))
        {
            lengths.Add(step.Metrics["completions/mean_length"]);
            if (step.Step == 20) break;
        }
        Assert.True(lengths.TakeLast(5).Average() < 0.7 * lengths.Take(5).Average(), $"{lengths.Take(5).Average():0.0} → {lengths.TakeLast(5).Average():0.0} tokens");
    }

    [Fact]
    public async Task Sampler_and_trainer_agree_about_every_sampled_token()
    {
        var any = Reward.From("any", (_, completion) => completion.Text.Length % 3);
        using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((any, 1)), Config with { MiniBatches = 2, OldPolicy = OldPolicy.Sampler }) { Prompts = Ask };
        for (int i = 0; i < 3; i++)
        {
            var report = await trainer.StepAsync(TestContext.Current.CancellationToken);
            Assert.InRange(report.Metrics["sampling/logp_difference/max"], 1e-12, 1e-4);
        }
    }

    [Fact]
    public async Task A_failing_reward_masks_its_samples_and_too_many_failures_end_the_run_with_their_cause()
    {
        var sometimes = Reward.From("sometimes", (prompt, completion) => completion.Text.Length % 4 == 0 ? throw new InvalidOperationException("no service") : completion.TokenCount);
        using (var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((sometimes, 1)), Config with { ToleratedRewardFailures = 1 }) { Prompts = Ask })
        {
            var report = await trainer.StepAsync(TestContext.Current.CancellationToken);
            int failed = report.Groups.SelectMany(group => group.Scores).Count(score => score.Total is null);
            Assert.InRange(failed, 1, 15);
            Assert.Equal(failed / 16.0, report.Metrics["rewards/sometimes/failed"], 12);
        }
        using var strict = new GrpoTrainer(_policy, WeightedRewards.Of((sometimes, 1)), Config with { ToleratedRewardFailures = 0 }) { Prompts = Ask };
        var failure = await Assert.ThrowsAsync<RewardFailureException>(() => strict.StepAsync(TestContext.Current.CancellationToken));
        Assert.Contains("'sometimes'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("no service", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Groups_without_signal_are_replaced_by_further_prompts_up_to_the_bound()
    {
        // Every third prompt has something to learn from.
        var picky = Reward.From("picky", (prompt, completion) => int.Parse(prompt.Id[1..], System.Globalization.CultureInfo.InvariantCulture) % 3 == 2 ? completion.Text.Sum(letter => letter) % 97 : 1.0);
        async Task<string> StepAsync(int rounds)
        {
            using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((picky, 1)), Config with { SamplingRounds = rounds }) { Prompts = Ask };
            var report = await trainer.StepAsync(TestContext.Current.CancellationToken);
            return $"{string.Join(' ', report.Groups.Select(group => group.Group.Prompt.Index))} of {report.Metrics["num_prompts"]}";
        }
        Assert.Equal("0 1 of 2", await StepAsync(rounds: 1));
        Assert.Equal("0 2 of 4", await StepAsync(rounds: 2));
        Assert.Equal("2 5 of 6", await StepAsync(rounds: 9));
    }

    public void Dispose()
    {
        _policy.Dispose();
        _folder.Delete(recursive: true);
    }
}
