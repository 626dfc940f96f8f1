using DeepSeekR1.Data;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using DeepSeekR1.Training;

namespace DeepSeekR1.Tests.Training;

public sealed class TrainerCallbackTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-callback-");

    private static readonly IGroupReward _any = Reward.From("any", (_, completion) => completion.Text.Sum(letter => letter) % 97);

    private static readonly Prompt[] _prompts = [.. Enumerable.Range(0, 5).Select(GrpoTrainerTests.Ask)];

    [Fact]
    public async Task Prompts_are_drawn_pass_by_pass_and_callbacks_see_each_step_before_its_receiver()
    {
        using var policy = Open();
        using var trainer = new GrpoTrainer(policy, WeightedRewards.Of((_any, 1)), GrpoTrainerTests.Config with { Steps = 5 });
        var heard = new List<string>();
        trainer.Callbacks.Add(new Callback<GrpoConfig>
        {
            OnStarting = before => heard.Add($"before {before.Step + 1}"),
            OnDone = (_, report) => heard.Add($"done {report.Step} of {((GrpoStepReport)report).Groups.Count} groups"),
        });
        var asked = new List<string>();
        await foreach (var step in trainer.TrainAsync(_prompts, TestContext.Current.CancellationToken))
        {
            heard.Add($"received {step.Step}");
            asked.AddRange(step.Groups.Select(group => group.Group.Prompt.Prompt.Id));
        }
        Assert.Equal(Enumerable.Range(1, 5).SelectMany(step => new[] { $"before {step}", $"done {step} of 2 groups", $"received {step}" }), heard);
        Assert.Equal(_prompts.Select(prompt => prompt.Id), asked.Take(5).Order());
        Assert.Equal(_prompts.Select(prompt => prompt.Id), asked.Skip(5).Order());
    }

    [Fact]
    public async Task A_callback_stops_the_loop_and_a_new_loop_goes_on()
    {
        using var policy = Open();
        using var trainer = new GrpoTrainer(policy, WeightedRewards.Of((_any, 1)), GrpoTrainerTests.Config with { Steps = 4 });
        trainer.Callbacks.Add(new Callback<GrpoConfig> { OnDone = (stopped, report) => { if (report.Step == 2) stopped.Stop(); } });
        Assert.Equal([1, 2], await StepsAsync());
        Assert.Equal([3, 4], await StepsAsync());

        async Task<List<int>> StepsAsync()
        {
            var steps = new List<int>();
            await foreach (var step in trainer.TrainAsync(_prompts, TestContext.Current.CancellationToken)) steps.Add(step.Step);
            return steps;
        }
    }

    [Fact]
    public async Task A_changed_config_takes_effect_with_the_next_step_and_is_saved()
    {
        using var policy = Open();
        var rewards = WeightedRewards.Of((_any, 1));
        using var trainer = new GrpoTrainer(policy, rewards, GrpoTrainerTests.Config) { Prompts = GrpoTrainerTests.Ask };
        var (first, before) = (await NextAsync(trainer), trainer.Config);
        trainer.Config = before with { GroupSize = 4, Loss = before.Loss with { Beta = 0.1 }, Optimizer = before.Optimizer with { LearningRate = 1e-4 } };
        var second = await NextAsync(trainer);
        Assert.Equal((8, 4), (first.Groups[0].Scores.Count, second.Groups[0].Scores.Count));
        Assert.Equal((1e-3, 1e-4), (first.Metrics["learning_rate"], second.Metrics["learning_rate"]));
        Assert.False(first.Metrics.ContainsKey("kl"));
        Assert.True(second.Metrics.ContainsKey("kl"));

        string saved = Path.Combine(_folder.FullName, "saved");
        Directory.CreateDirectory(saved);
        trainer.Save(saved);
        var third = await NextAsync(trainer);
        using var samePolicy = Open(saved);
        using var resumed = new GrpoTrainer(samePolicy, rewards, GrpoTrainerTests.Config) { Prompts = GrpoTrainerTests.Ask };
        resumed.Restore(saved);
        Assert.Equal(third.Metrics, (await NextAsync(resumed)).Metrics);

        Task<GrpoStepReport> NextAsync(GrpoTrainer of) => of.StepAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public void What_cannot_change_is_named_and_what_is_impossible_is_refused()
    {
        using var policy = Open();
        using var trainer = new GrpoTrainer(policy, WeightedRewards.Of((_any, 1)), GrpoTrainerTests.Config);
        var fixedSetting = Assert.Throws<R1Exception>(() => trainer.Config = trainer.Config with { Optimizer = trainer.Config.Optimizer with { Beta2 = 0.5 } });
        Assert.Contains("\"beta2\": 0.999, and \"beta2\": 0.5 cannot take its place", fixedSetting.Message, StringComparison.Ordinal);
        var outOfRange = Assert.Throws<R1Exception>(() => trainer.Config = trainer.Config with { GroupSize = 1 });
        Assert.Contains("groupSize: must be at least 2", outOfRange.Message, StringComparison.Ordinal);

        SftExample[] examples = [new TextExample("a", "", "tom has 4"), new TextExample("b", "", "may has 5 .")];
        using var sft = SftTrainer.On(examples, policy, new SftConfig { BatchSize = 1 });
        Assert.Contains("batchSize", Assert.Throws<R1Exception>(() => sft.Config = sft.Config with { BatchSize = 2 }).Message, StringComparison.Ordinal);
        sft.Config = sft.Config with { Optimizer = sft.Config.Optimizer with { LearningRate = 0.5 } };
        Assert.Equal(0.5, sft.Config.Optimizer.LearningRate);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private PolicyModel Open(string? folder = null) =>
        PolicyModel.Load(folder ?? EmbeddedModels.Resolve("embedded:mini-base", _folder.FullName), TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 }));

    private sealed class Callback<TConfig> : ITrainerCallback<TConfig>
    {
        public Action<ITrainer<TConfig>>? OnStarting { get; init; }

        public Action<ITrainer<TConfig>, StepReport>? OnDone { get; init; }

        public ValueTask StepStartingAsync(ITrainer<TConfig> trainer, CancellationToken cancellationToken)
        {
            OnStarting?.Invoke(trainer);
            return default;
        }

        public ValueTask StepDoneAsync(ITrainer<TConfig> trainer, StepReport report, CancellationToken cancellationToken)
        {
            OnDone?.Invoke(trainer, report);
            return default;
        }
    }
}
