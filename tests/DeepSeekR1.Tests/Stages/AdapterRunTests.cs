using System.Text.Json;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Configuration;
using DeepSeekR1.Models;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Rollouts.Cpu;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Stages;

/// <summary>Runs that train an adapter, and runs that compute layers twice.</summary>
public class AdapterRunTests
{
    private const double Scale = 8.0 / 4;

    private static readonly string[] _adapter =
        ["model.lora.rank=4", "model.lora.alpha=8", "model.lora.targetModules=[\"q_proj\",\"down_proj\"]", "zero.grpo.optimizer.learningRate=0.01", "zero.grpo.loss.beta=0.01"];

    [Fact]
    public async Task A_stage_ends_with_its_base_plus_the_adapter_and_with_the_adapter_beside()
    {
        using var run = new MiniRun();
        await run.TrainAsync(TrainStage.Zero, overrides: _adapter, cancellationToken: TestContext.Current.CancellationToken);

        using var scope = NewDisposeScope();
        var first = SafeTensors.Load(run.Path("checkpoints", "mini-base", "model.safetensors"));
        var last = SafeTensors.Load(run.Path("checkpoints", "zero", "model", "model.safetensors"));
        var matrices = SafeTensors.Load(run.Path("checkpoints", "zero", "model", "adapter", "adapter_model.safetensors"));
        Assert.Equal(2 * first.Keys.Count(IsTarget), matrices.Count);
        Assert.All(first, weight =>
        {
            if (!IsTarget(weight.Key))
            {
                Assert.Equal(0, Difference(last[weight.Key], weight.Value));
                return;
            }
            string prefix = "base_model.model." + weight.Key[..^".weight".Length];
            var added = matrices[prefix + ".lora_B.weight"].mm(matrices[prefix + ".lora_A.weight"]) * Scale;
            Assert.NotEqual(0, Difference(last[weight.Key], weight.Value));
            Assert.InRange(Difference(last[weight.Key], weight.Value + added), 0, 1e-6);
        });
        static bool IsTarget(string name) => name.EndsWith("q_proj.weight", StringComparison.Ordinal) || name.EndsWith("down_proj.weight", StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_adapters_folder_opens_as_the_model_of_the_stage()
    {
        using var run = new MiniRun();
        await run.TrainAsync(TrainStage.Zero, overrides: _adapter, cancellationToken: TestContext.Current.CancellationToken);
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 });
        using var whole = PolicyModel.Load(run.Path("checkpoints", "zero", "model"), runtime);
        using var opened = PolicyModel.Load(run.Path("checkpoints", "zero", "model", "adapter"), runtime);
        Assert.Null(opened.Model.Adapter);
        Assert.All(whole.Model.Parameters, parameter => Assert.Equal(0, Difference(opened.Model.Parameters[parameter.Key], parameter.Value)));
    }

    [Fact]
    public async Task KL_is_measured_from_the_model_without_the_adapter()
    {
        using var run = new MiniRun();
        await run.TrainAsync(TrainStage.Zero, overrides: _adapter, cancellationToken: TestContext.Current.CancellationToken);
        double[] kl = [.. File.ReadLines(run.Path("metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.GetProperty("step").GetInt32() > 0).Select(line => line.GetProperty("kl").GetDouble())];
        // B begins as zero, so that the first step's policy is its reference.
        Assert.Equal(0, kl[0]);
        Assert.All(kl[1..], value => Assert.True(value > 0));
    }

    [Fact]
    public async Task A_cancelled_run_goes_on_from_the_adapter_as_if_it_had_not_been()
    {
        using MiniRun whole = new(), parted = new();
        string[] overrides = [.. _adapter, "checkpoints.every=1", "zero.grpo.referenceReplacedEvery=2", "zero.grpo.steps=5"];
        await whole.TrainAsync(TrainStage.Zero, overrides: overrides, cancellationToken: TestContext.Current.CancellationToken);

        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => parted.TrainAsync(TrainStage.Zero, new CancelAfter(3, source), overrides: overrides, cancellationToken: source.Token));
        string checkpoint = parted.Path("checkpoints", "zero", "checkpoint-3");
        Assert.True(PeftAdapter.IsAdapter(checkpoint));
        Assert.False(File.Exists(Path.Combine(checkpoint, "model.safetensors")));
        await parted.TrainAsync(TrainStage.Zero, resume: true, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(whole.Read("metrics.jsonl"), parted.Read("metrics.jsonl"));
        Assert.Equal(whole.Read("completions.jsonl"), parted.Read("completions.jsonl"));
        foreach (string[] file in new[] { new[] { "model.safetensors" }, ["adapter", "adapter_model.safetensors"] })
            Assert.Equal(whole.Read(["checkpoints", "zero", "model", .. file]), parted.Read(["checkpoints", "zero", "model", .. file]));
    }

    [Fact]
    public async Task The_sampler_reads_the_weights_with_the_adapter()
    {
        using var run = new MiniRun();
        await run.TrainAsync(TrainStage.Zero, overrides: _adapter, cancellationToken: TestContext.Current.CancellationToken);
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 });
        using var merged = PolicyModel.Load(run.Path("checkpoints", "zero", "model"), runtime);
        using var adapted = PolicyModel.Load(run.Path("checkpoints", "mini-base"), runtime);
        adapted.LoadAdapter(run.Path("checkpoints", "zero", "model", "adapter"));
        Assert.Equal(Logits(merged.Model), Logits(adapted.Model));

        static float[] Logits(CausalLM model)
        {
            using var decoder = new CpuDecoder(model, threads: 1);
            using var batch = decoder.Start([new int[] { 5, 6, 7 }], [1], maxNewTokens: 1);
            return batch.Logits(0).ToArray();
        }
    }

    [Theory]
    [InlineData("model.lora.rank=0", "model.lora.rank")]
    [InlineData("model.lora.targetModules=[\"query\"]", "no projection")]
    public async Task Impossible_adapters_are_told(string setting, string expected)
    {
        using var run = new MiniRun();
        var failure = await Assert.ThrowsAnyAsync<R1Exception>(() => run.TrainAsync(TrainStage.Zero, overrides: [.. _adapter, setting], cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TrainStage.Zero, "zero")]
    [InlineData(TrainStage.ColdStart, "cold-start")]
    [InlineData(TrainStage.RewardModel, "reward-model-helpful")]
    public async Task Layers_computed_twice_change_nothing(TrainStage stage, string name)
    {
        using MiniRun once = new(), twice = new();
        await once.TrainAsync(stage, cancellationToken: TestContext.Current.CancellationToken);
        await twice.TrainAsync(stage, overrides: ["model.gradientCheckpointing=true"], cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(once.Read("metrics.jsonl"), twice.Read("metrics.jsonl"));
        Assert.Equal(once.Read("checkpoints", name, "model", "model.safetensors"), twice.Read("checkpoints", name, "model", "model.safetensors"));
    }

    private static float Difference(Tensor one, Tensor other)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return (one - other).abs().max().item<float>();
    }
}
