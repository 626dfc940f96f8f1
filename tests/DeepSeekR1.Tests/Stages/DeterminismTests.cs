using DeepSeekR1.Configuration;

namespace DeepSeekR1.Tests.Stages;

/// <summary>Same config and seed, same bytes: whatever the threads, and however sampling is cut.</summary>
public class DeterminismTests
{
    // Enough sequences that a step's products are large and small, on each way that gradients take.
    [Theory]
    [InlineData(TrainStage.Pretrain, "mini-base", "pretrain", "pretrain.sft.steps=8")]
    [InlineData(TrainStage.Zero, "mini", "zero", "zero.grpo.loss.beta=0.01")]
    [InlineData(TrainStage.Zero, "mini", "zero", "model.lora={\"rank\":4}")]
    [InlineData(TrainStage.ColdStart, "mini", "cold-start", "coldStart.examples=20")]
    [InlineData(TrainStage.RewardModel, "mini", "reward-model-helpful", "rewardModel.helpful.batchSize=3")]
    public async Task A_run_leaves_the_same_bytes_on_one_thread_and_on_two(TrainStage stage, string config, string name, string setting)
    {
        using MiniRun one = new(), two = new();
        await one.TrainAsync(stage, config: config, overrides: [setting, "runtime.threads=1"], cancellationToken: TestContext.Current.CancellationToken);
        await two.TrainAsync(stage, config: config, overrides: [setting, "runtime.threads=2"], cancellationToken: TestContext.Current.CancellationToken);
        AssertSame(one, two, name);
    }

    [Theory]
    [InlineData("zero.grpo.limits.maxSequences=3")]
    [InlineData("zero.grpo.limits.maxCacheMebibytes=1")]
    [InlineData("zero.grpo.limits.maxPromptTokens=20")]
    public async Task A_run_leaves_the_same_bytes_however_sampling_is_cut(string setting)
    {
        using MiniRun whole = new(), cut = new();
        string[] larger = ["zero.grpo.groupSize=16"];
        await whole.TrainAsync(TrainStage.Zero, overrides: larger, cancellationToken: TestContext.Current.CancellationToken);
        await cut.TrainAsync(TrainStage.Zero, overrides: [.. larger, setting], cancellationToken: TestContext.Current.CancellationToken);
        AssertSame(whole, cut, "zero");
    }

    private static void AssertSame(MiniRun one, MiniRun other, string stage)
    {
        Assert.Equal(one.Read("metrics.jsonl"), other.Read("metrics.jsonl"));
        Assert.Equal(one.Read("completions.jsonl"), other.Read("completions.jsonl"));
        Assert.Equal(one.Read("checkpoints", stage, "model", "model.safetensors"), other.Read("checkpoints", stage, "model", "model.safetensors"));
    }
}
