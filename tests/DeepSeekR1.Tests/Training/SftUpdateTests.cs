using System.Text.Json;
using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

public class SftUpdateTests
{
    [Theory]
    [InlineData("text", 0)]
    [InlineData("prompt_too", 0)]
    [InlineData("completion_only", 0)]
    [InlineData("completion_only", 48)]
    [InlineData("assistant_only", 0)]
    [InlineData("dft", 0)]
    [InlineData("packed_bfd", 0)]
    [InlineData("packed_bfd", 64)]
    [InlineData("packed_wrapped", 0)]
    public void Runs_of_five_steps_equal_the_reference(string name, int packedRowLength)
    {
        using var scope = NewDisposeScope();
        var run = GoldenFile.Json("sft", name, "run.json");
        var settings = run.GetProperty("config");
        var batches = GoldenFile.Tensors("sft", name, "batches.safetensors");
        double peak = settings.Number("learning_rate");
        using var policy = GoldenTrainingRun.LoadModel(["sft", .. run.Text("model").Split('/')]);
        using var optimizer = AdamW.For(policy, GoldenTrainingRun.OptimizerOf(run, peak, settings.Number("max_grad_norm")));
        var kind = settings.TryGetProperty("loss_type", out var type) && type.GetString() == "dft" ? SftLossKind.Dft : SftLossKind.NegativeLogLikelihood;
        var update = new SftUpdate(policy, optimizer, new SftLossConfig { Kind = kind }, new BatchConfig { TokensPerMicroBatch = 64, PackedRowLength = packedRowLength });
        var schedule = new LrSchedule(new ScheduleConfig
        {
            Kind = ScheduleKind.Cosine,
            WarmupSteps = settings.GetProperty("warmup_steps").GetInt32(),
            MinRatio = settings.GetProperty("lr_scheduler_kwargs").Number("min_lr_rate"),
        }, peak, settings.GetProperty("max_steps").GetInt32());

        int step = 0;
        foreach (var log in run.GetProperty("logs").EnumerateArray())
        {
            var samples = GoldenTrainingRun.MicroBatchesOf(run, step + 1).SelectMany(micro => SamplesOf(batches, micro)).ToList();
            if (step == 0)
            {
                update.Gradient(samples);
                AssertFirstGradient(run, policy.Parameters.ToDictionary(p => p.Key, p => (Tensor)p.Value), name);
            }
            Assert.Equal(log.Number("learning_rate"), schedule.At(step), 1e-15);
            var report = update.Step(samples, schedule.At(step++));
            Assert.Equal(UpdateOutcome.Applied, report.Outcome);
            Assert.InRange(Math.Abs(report.Loss - log.Number("loss")), 0, 5e-6);
            Assert.InRange(Math.Abs(report.GradNorm - log.Number("grad_norm")), 0, 2e-5 * log.Number("grad_norm"));
        }
        if (run.TryGetProperty("weights5_l2", out var norms))
        {
            foreach (var norm in norms.EnumerateObject())
                Assert.Equal(norm.Value.Number(), policy.Parameters[norm.Name].to(ScalarType.Float64).norm().item<double>(), 2e-6 * Math.Max(1, norm.Value.Number()));
        }
        else
        {
            GoldenTrainingRun.AssertWeights(policy, GoldenFile.Tensors("sft", name, "weights.safetensors"), step, peak);
        }
    }

    private static void AssertFirstGradient(JsonElement run, Dictionary<string, Tensor> parameters, string name)
    {
        if (run.TryGetProperty("gradient1_l2", out var norms))
        {
            foreach (var norm in norms.EnumerateObject())
                Assert.Equal(norm.Value.Number(), parameters[norm.Name].grad!.to(ScalarType.Float64).norm().item<double>(), 1e-5 * Math.Max(1, norm.Value.Number()));
            return;
        }
        var golden = GoldenFile.Tensors("sft", name, "weights.safetensors");
        foreach (var (parameter, weights) in parameters)
            if (golden.TryGetValue($"gradient1.{parameter}", out var expected)) Assert.InRange(weights.grad!.LargestDifference(expected), 0, 5e-6);
    }

    /// <summary>The documents of a micro-batch: a row without its padding, or what stands between two places where positions begin again.</summary>
    private static IEnumerable<SftSample> SamplesOf(Dictionary<string, Tensor> batches, int micro)
    {
        Tensor Part(string name) => batches[$"micro{micro}.{name}"];
        for (long row = 0; row < Part("input_ids").shape[0]; row++)
        {
            int[] ids = [.. Part("input_ids")[row].Longs().Select(id => (int)id)];
            bool[] isLabel = [.. Part("labels")[row].Longs().Select(label => label != -100)];
            int length = batches.TryGetValue($"micro{micro}.attention_mask", out var mask) ? (int)mask[row].sum().item<long>() : ids.Length;
            long[]? positions = batches.TryGetValue($"micro{micro}.position_ids", out var given) ? given[row].Longs() : null;
            int[] starts = [.. Enumerable.Range(0, length).Where(i => positions is null ? i == 0 : positions[i] == 0), length];
            foreach (var (start, end) in starts.Zip(starts.Skip(1)))
                yield return new SftSample { Ids = ids.AsMemory(start..end), IsLabel = isLabel.AsMemory(start..end) };
        }
    }
}
