using System.Text.Json;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using DeepSeekR1.Testing;
using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

/// <summary>Helps to repeat a recorded training run.</summary>
internal static class GoldenTrainingRun
{
    public static CausalLM LoadModel(params string[] folder) =>
        HfCheckpoint.LoadModel(Reference.Golden(folder), TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 }), ScalarType.Float32);

    public static OptimizerConfig OptimizerOf(JsonElement run, double learningRate, double maxGradNorm)
    {
        var optimizer = run.GetProperty("optimizer");
        double[] betas = optimizer.Numbers("betas");
        return new OptimizerConfig
        {
            LearningRate = learningRate,
            Beta1 = betas[0],
            Beta2 = betas[1],
            Epsilon = optimizer.Number("eps"),
            WeightDecay = optimizer.GetProperty("groups")[0].Number("weight_decay"),
            MaxGradNorm = maxGradNorm,
        };
    }

    /// <summary>The batches of one optimizer step: indices of its micro-batches.</summary>
    public static int[] MicroBatchesOf(JsonElement run, int optimizerStep) => [.. run.GetProperty("micro_batches").EnumerateArray()
        .Where(micro => micro.GetProperty("optimizer_step").GetInt32() == optimizerStep).Select(micro => micro.GetProperty("index").GetInt32())];

    /// <summary>Gradients within 5e-6.</summary>
    public static void AssertGradients(CausalLM policy, Dictionary<string, Tensor> golden)
    {
        foreach (var (name, parameter) in policy.Parameters)
            if (golden.TryGetValue($"gradient1.{name}", out var expected))
                Assert.True(parameter.grad!.LargestDifference(expected) <= 5e-6, $"gradient of {name} differs by {parameter.grad!.LargestDifference(expected)}");
    }

    /// <summary>
    /// Weights within 1e-6 for 99.9 % of the elements and within 2·lr·steps for the rest: Adam makes steps of the size of the learning
    /// rate of gradients that are rounding noise.
    /// </summary>
    public static void AssertWeights(CausalLM policy, Dictionary<string, Tensor> golden, int step, double learningRate)
    {
        long elements = 0, apart = 0;
        foreach (var (name, parameter) in policy.Parameters)
        {
            if (!golden.TryGetValue($"step{step}.{name}", out var expected)) continue;
            var difference = (parameter - expected).abs();
            Assert.True(difference.max().item<float>() <= 2 * learningRate * step, $"step {step}: {name} differs by {difference.max().item<float>()}");
            elements += difference.numel();
            apart += difference.gt(1e-6).sum().item<long>();
        }
        Assert.True(apart <= elements / 1000, $"step {step}: {apart} of {elements} weights differ by more than 1e-6");
    }
}
