using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using DeepSeekR1.Training;
using TorchSharp;

namespace DeepSeekR1.Tests.Training;

// The count of live tensors is one for the whole process, so no other test may run beside this one.
[CollectionDefinition(nameof(LeakTests), DisableParallelization = true)]
public sealed class LeakCollection;

[Collection(nameof(LeakTests))]
public sealed class LeakTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-leak-");
    private readonly PolicyModel _policy;

    public LeakTests()
    {
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 });
        _policy = PolicyModel.Load(EmbeddedModels.Resolve("embedded:mini-base", _folder.FullName), runtime);
    }

    // Slow: a leak shows only over many steps.
    [Fact, Trait("Category", "Slow")]
    public async Task No_tensor_outlives_its_step()
    {
        var any = Reward.From("any", (_, completion) => completion.Text.Length % 3);
        using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((any, 1)), GrpoTrainerTests.Config with { Loss = GrpoTrainerTests.Config.Loss with { Beta = 0.01 }, ReferenceReplacedEvery = 7, ToleratedStepsWithoutSignal = 0 }) { Prompts = GrpoTrainerTests.Ask };
        for (int i = 0; i < 10; i++) await trainer.StepAsync(TestContext.Current.CancellationToken);
        long before = LiveTensors();
        for (int i = 0; i < 40; i++) await trainer.StepAsync(TestContext.Current.CancellationToken);
        Assert.Equal(before, LiveTensors());

        static long LiveTensors()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return torch.Tensor.TotalCount;
        }
    }

    public void Dispose()
    {
        _policy.Dispose();
        _folder.Delete(recursive: true);
    }
}
