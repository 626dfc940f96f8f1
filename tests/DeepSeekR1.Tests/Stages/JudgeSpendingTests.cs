using System.Globalization;
using System.Text.Json;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using DeepSeekR1.Telemetry;
using DeepSeekR1.Tests.Training;
using DeepSeekR1.Training;

namespace DeepSeekR1.Tests.Stages;

/// <summary>What judges cost and how long they were waited for differs from run to run, and so is kept apart from the metrics.</summary>
public sealed class JudgeSpendingTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-judge-");
    private readonly TorchRuntime _runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 });

    [Fact]
    public async Task A_slower_and_dearer_judge_changes_the_timings_and_not_the_metrics()
    {
        string first = await RunAsync("first", cost: 0.5, seconds: 2), second = await RunAsync("second", cost: 0, seconds: 0.25);
        Assert.Equal(File.ReadAllBytes(Path.Combine(first, "metrics.jsonl")), File.ReadAllBytes(Path.Combine(second, "metrics.jsonl")));
        Assert.Equal([(8, 32), (8, 32)], Spent(first));
        Assert.Equal([(0, 4), (0, 4)], Spent(second));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static (double Cost, double Seconds)[] Spent(string run) =>
    [
        .. File.ReadLines(Path.Combine(run, "timings.jsonl")).Select(line => JsonElement.Parse(line))
            .Select(step => (step.GetProperty("rewards/judge/cost").GetDouble(), step.GetProperty("rewards/judge/seconds").GetDouble())),
    ];

    /// <summary>Two steps of 16 completions.</summary>
    private async Task<string> RunAsync(string name, double cost, double seconds)
    {
        var details = new Dictionary<string, string> { ["cost"] = cost.ToString(CultureInfo.InvariantCulture), ["seconds"] = seconds.ToString(CultureInfo.InvariantCulture) };
        var judge = Reward.From("judge", (_, completion, _) => new ValueTask<RewardScore>(new RewardScore(completion.Text.Sum(letter => letter) % 97) { Details = details }));
        using var folder = RunFolder.Create(Path.Combine(_folder.FullName, name));
        var recipe = new Recipe { Checkpoints = new CheckpointConfig { Every = 0 } };
        var plan = new StagePlan<PolicyModel>("zero", "a judge that tells what it spends", EmbeddedModels.Resolve("embedded:mini-base", _folder.FullName), open => PolicyModel.Load(open, _runtime),
            policy => new GrpoTrainer(policy, WeightedRewards.Of((judge, 1)), GrpoTrainerTests.Config with { Steps = 2 }) { Prompts = GrpoTrainerTests.Ask });
        await new StageRunner(new RunContext(recipe, RunData.Load(recipe), folder, SilentObserver.Instance, _runtime, TimeProvider.System)).RunAsync(plan, TestContext.Current.CancellationToken);
        return folder.FolderPath;
    }
}
