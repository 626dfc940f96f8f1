using DeepSeekR1.Data;
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
    public async Task Reinforcement_holds_neither_tensors_nor_memory()
    {
        var any = Reward.From("any", (_, completion) => completion.Text.Length % 3);
        var config = GrpoTrainerTests.Config with { Loss = GrpoTrainerTests.Config.Loss with { Beta = 0.01 }, ReferenceReplacedEvery = 7, ToleratedStepsWithoutSignal = 0, MiniBatches = 2 };
        using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((any, 1)), config) { Prompts = GrpoTrainerTests.Ask };
        await AssertFlatAsync(trainer);
    }

    [Fact, Trait("Category", "Slow")]
    public async Task Supervised_training_holds_neither_tensors_nor_memory()
    {
        SftExample[] examples = [.. Enumerable.Range(0, 64).Select(i => new TextExample($"{i}", "", $"tom has {i % 20} . may + 4 , june - 2 . how many now ?"))];
        using var trainer = SftTrainer.On(examples, _policy, new SftConfig { BatchSize = 8, Steps = 1000, Batching = new BatchConfig { PackedRowLength = 64 } });
        await AssertFlatAsync(trainer);
    }

    /// <summary>200 steps, of which the first 60 warm up allocators, thread pools and just-in-time code.</summary>
    private static async Task AssertFlatAsync(ITrainer trainer)
    {
        const int WarmUp = 60, Steps = 200;
        const long Noise = 12 << 20;
        for (int i = 0; i < WarmUp; i++) await trainer.StepAsync(TestContext.Current.CancellationToken);
        var (tensors, memory) = Held();
        for (int i = WarmUp; i < Steps; i++) await trainer.StepAsync(TestContext.Current.CancellationToken);
        var (tensorsAfter, memoryAfter) = Held();
        Assert.Equal(tensors, tensorsAfter);
        Assert.True(memoryAfter - memory < Noise, $"resident memory grew by {(memoryAfter - memory) >> 10:N0} KiB in {Steps - WarmUp} steps");

        static (long Tensors, long Bytes) Held()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            return (torch.Tensor.TotalCount, Environment.WorkingSet);
        }
    }

    public void Dispose()
    {
        _policy.Dispose();
        _folder.Delete(recursive: true);
    }
}
