using System.Text.Json;
using DeepSeekR1.Models;
using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

public class GrpoUpdateTests
{
    [Theory]
    [InlineData("r1_qwen2")]
    [InlineData("dapo_llama")]
    [InlineData("two_micro_two_iterations_qwen2")]
    public void Runs_of_five_steps_equal_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        var run = GoldenFile.Json("grpo", "train", name, "run.json");
        var batches = GoldenFile.Tensors("grpo", "train", name, "batches.safetensors");
        var weights = GoldenFile.Tensors("grpo", "train", name, "weights.safetensors");
        double learningRate = run.GetProperty("optimizer").Number("lr");
        using var policy = GoldenTrainingRun.LoadModel("grpo", "train", name, "model");
        using var optimizer = AdamW.For(policy, GoldenTrainingRun.OptimizerOf(run, learningRate, run.GetProperty("optimizer").Number("max_grad_norm")));
        var config = ConfigOf(run.GetProperty("config"));
        var update = new GrpoUpdate(policy, optimizer, config, run.Number("temperature"), new BatchConfig { TokensPerMicroBatch = 40 });

        int step = 0;
        foreach (var log in run.GetProperty("logs").EnumerateArray())
        {
            int[] microBatches = GoldenTrainingRun.MicroBatchesOf(run, ++step);
            var samples = microBatches.SelectMany(micro => SamplesOf(batches, micro, run.GetProperty("config"), microBatches.Length)).ToList();
            if (step == 1)
            {
                update.Gradient(samples);
                GoldenTrainingRun.AssertGradients(policy, weights);
            }
            var report = update.Step(samples, learningRate);
            Assert.Equal(UpdateOutcome.Applied, report.Outcome);
            Assert.InRange(Math.Abs(report.Loss - log.Number("loss")), 0, 5e-6);
            Assert.InRange(Math.Abs(report.GradNorm - log.Number("grad_norm")), 0, 2e-5 * log.Number("grad_norm"));
            // TRL's means over two micro-batches weigh each alike, ours weigh each token alike.
            if (microBatches.Length == 1)
                foreach (string metric in new[] { "kl", "entropy", "clip_ratio/low_mean", "clip_ratio/high_mean", "clip_ratio/region_mean", "clip_ratio/low_min", "clip_ratio/high_max" })
                    if (log.NumberOrNull(metric) is { } expected)
                        Assert.True(Math.Abs(report.Metrics[metric] - expected) <= 2e-5 * Math.Max(1, expected), $"step {step}: {metric} {report.Metrics[metric]}, expected {expected}");
            GoldenTrainingRun.AssertWeights(policy, weights, step, learningRate);
        }
    }

    private static GrpoLossConfig ConfigOf(JsonElement settings)
    {
        double epsilon = settings.NumberOrNull("epsilon") ?? 0.2;
        return new GrpoLossConfig
        {
            EpsilonLow = epsilon,
            EpsilonHigh = settings.NumberOrNull("epsilon_high"),
            Beta = settings.Number("beta"),
            BiasCorrectedKl = !settings.TryGetProperty("use_bias_correction_kl", out var corrected) || corrected.GetBoolean(),
        };
    }

    /// <summary>A micro-batch as TRL's trainer saw it, in our terms.</summary>
    private static IEnumerable<TrainingSample> SamplesOf(Dictionary<string, Tensor> batches, int micro, JsonElement settings, int microBatches)
    {
        Tensor Part(string name) => batches[$"micro{micro}.{name}"];
        float[]? Row(string name, int row, int length) => batches.TryGetValue($"micro{micro}.{name}", out var values) ? values[row].Floats()[..length] : null;
        var normalization = settings.TryGetProperty("loss_type", out var type) ? GoldenLossCase.NormalizationOf(type.GetString()!) : LossNormalization.Dapo;
        int[] live = [.. Part("completion_mask").sum(1).Longs().Select(n => (int)n)];
        double[] weights = LossWeights.PerToken(normalization, live, 16, tokensPerStep: Part("num_items_in_batch").item<long>());
        if (normalization == LossNormalization.Grpo) weights = [.. weights.Select(w => w / microBatches)];
        float[] advantages = Part("advantages").Floats();
        for (int row = 0; row < live.Length; row++)
        {
            if (live[row] == 0) continue;
            int[] prompt = [.. Part("prompt_ids")[row].Longs().Zip(Part("prompt_mask")[row].Longs()).Where(p => p.Second == 1).Select(p => (int)p.First)];
            int[] completion = [.. Part("completion_ids")[row].Longs().Take(live[row]).Select(id => (int)id)];
            yield return new TrainingSample
            {
                Ids = (int[])[.. prompt, .. completion],
                PromptLength = prompt.Length,
                Credit = Enumerable.Repeat((float)(advantages[row] * weights[row]), live[row]).ToArray(),
                Normalizer = Enumerable.Repeat((float)weights[row], live[row]).ToArray(),
                OldLogProbs = Row("old_per_token_logps", row, live[row]),
                ReferenceLogProbs = Row("ref_per_token_logps", row, live[row]),
            };
        }
    }
}
