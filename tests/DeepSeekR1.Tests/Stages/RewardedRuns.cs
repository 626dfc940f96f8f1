using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using DeepSeekR1.Telemetry;
using DeepSeekR1.Tests.Training;
using DeepSeekR1.Training;

namespace DeepSeekR1.Tests.Stages;

/// <summary>Short runs of the embedded base, paid by a test's own reward: 16 completions a step, in a folder that is removed with them.</summary>
internal sealed class RewardedRuns : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-rewarded-");

    public TorchRuntime Runtime { get; } = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 });

    public string Base => EmbeddedModels.Resolve("embedded:mini-base", _folder.FullName);

    public string PathOf(string run, string file) => Path.Combine(_folder.FullName, run, file);

    /// <summary>Begins the run, or goes on with it; it is saved only when it ends or must. Returns the final weights.</summary>
    public async Task<byte[]> RunAsync(string name, int steps, IGroupReward reward)
    {
        var recipe = new Recipe { Checkpoints = new CheckpointConfig { Every = 0 } };
        using var folder = RunFolder.Resume(Path.Combine(_folder.FullName, name));
        var plan = new StagePlan<PolicyModel>("zero", "a reward of the test's own", Base, open => PolicyModel.Load(open, Runtime),
            policy => new GrpoTrainer(policy, WeightedRewards.Of((reward, 1)), GrpoTrainerTests.Config with { Steps = steps }) { Prompts = GrpoTrainerTests.Ask });
        var run = new RunContext(recipe, RunData.Load(recipe), folder, SilentObserver.Instance, Runtime, TimeProvider.System);
        var done = await new StageRunner(run).RunAsync(plan, TestContext.Current.CancellationToken);
        return File.ReadAllBytes(Path.Combine(done.ModelFolder, "model.safetensors"));
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
