using System.Text.Json;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Models;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Rollouts.Cpu;
using DeepSeekR1.Runtime;
using DeepSeekR1.Testing;
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

    [Fact]
    public void Without_credit_and_KL_nothing_is_run_and_nothing_moves()
    {
        using var scope = NewDisposeScope();
        using var policy = TinyPolicy.Create();
        using var optimizer = AdamW.For(policy, new OptimizerConfig { WeightDecay = 0.1 });
        var before = policy.Parameters.ToDictionary(p => p.Key, p => p.Value.detach().clone());
        var samples = TinyPolicy.Samples(4).Select(sample => sample with { Credit = new float[sample.CompletionLength] }).ToList();
        var report = new GrpoUpdate(policy, optimizer, new GrpoLossConfig { Beta = 0 }, 1, new BatchConfig()).Step(samples, 1);
        Assert.Equal(UpdateOutcome.NoSignal, report.Outcome);
        Assert.Equal(0, report.Tokens);
        Assert.All(policy.Parameters, p => Assert.Equal(0, p.Value.LargestDifference(before[p.Key])));
    }

    [Fact]
    public void Zero_advantages_are_skipped_unless_they_are_to_pay_KL_or_gain_entropy()
    {
        using var scope = NewDisposeScope();
        using var policy = TinyPolicy.Create();
        using var optimizer = AdamW.For(policy, new OptimizerConfig());
        var samples = TinyPolicy.Samples(4, withReference: true);
        samples[1] = samples[1] with { Credit = new float[samples[1].CompletionLength] };
        int Tokens(GrpoLossConfig config) => new GrpoUpdate(policy, optimizer, config, 1, new BatchConfig()).Step(samples, 0).Tokens;
        int skipped = samples[1].Normalizer.Span.Length - samples[1].Normalizer.Span.Count(0f);
        int all = Tokens(new GrpoLossConfig { SkipZeroAdvantages = false });
        Assert.Equal(all, Tokens(new GrpoLossConfig { SkipZeroAdvantages = false, Beta = 0, EntropyBonus = 0.01 }));
        Assert.Equal(all - skipped, Tokens(new GrpoLossConfig()));
        Assert.Equal(all - skipped, Tokens(new GrpoLossConfig { Beta = 0, EntropyBonus = 0.01 }));
        Assert.Equal(all - skipped, Tokens(new GrpoLossConfig { SkipZeroAdvantages = false, KlPlacement = KlPlacement.Reward }));
    }

    [Fact]
    public void Values_of_the_sampler_follow_the_weights_and_leave_the_gradient()
    {
        using var scope = NewDisposeScope();
        using var policy = TinyPolicy.Create();
        using var optimizer = AdamW.For(policy, new OptimizerConfig());
        using var decoder = new CpuDecoder(policy, threads: 1);
        var samples = TinyPolicy.Samples(8);
        float[][] Drawn() => decoder.LogProbs([.. samples.Select(sample => (sample.Ids[..sample.PromptLength], sample.Ids[sample.PromptLength..]))], 0.9);
        IDecoder Refreshed()
        {
            decoder.Refresh();
            return decoder;
        }
        samples = [.. samples.Zip(Drawn(), (sample, drawn) => sample with { SamplerLogProbs = drawn })];
        var config = new GrpoLossConfig { Beta = 0 };
        GrpoUpdate usual = new(policy, optimizer, config, 0.9, new BatchConfig()), bitwise = new(policy, optimizer, config, 0.9, new BatchConfig { TokensPerMicroBatch = 20 }) { Values = new SamplerScorer(Refreshed, 0.9) };

        Tensor Gradient(GrpoUpdate update)
        {
            update.Gradient(samples);
            return cat([.. policy.Parameters.Values.Select(p => p.grad!.view(-1))]).clone();
        }
        var (expected, actual) = (Gradient(usual), Gradient(bitwise));
        Assert.InRange((expected - actual).norm().item<float>() / expected.norm().item<float>(), 0, 2e-6f);

        Assert.Equal(0, bitwise.Step(samples, 1e-2).Metrics["sampling/logp_difference/max"]);
        double moved = bitwise.Step(samples, 0).Metrics["sampling/logp_difference/mean"];
        double[] differences = [.. samples.Zip(Drawn()).SelectMany(pair => pair.Second.Select((now, i) =>
            (Difference: Math.Abs((double)now - pair.First.SamplerLogProbs.Span[i]), IsLive: pair.First.Normalizer.Span[i] != 0))).Where(token => token.IsLive).Select(token => token.Difference)];
        Assert.True(moved > 1e-3);
        Assert.Equal(differences.Average(), moved, 1e-6);
    }

    [Fact]
    public void A_loss_that_is_not_finite_is_reported_and_never_applied()
    {
        using var scope = NewDisposeScope();
        using var policy = TinyPolicy.Create();
        using var optimizer = AdamW.For(policy, new OptimizerConfig());
        var before = policy.Parameters.ToDictionary(p => p.Key, p => p.Value.detach().clone());
        var samples = TinyPolicy.Samples(4);
        samples[1] = samples[1] with { Credit = Enumerable.Repeat(float.NaN, samples[1].CompletionLength).ToArray() };
        var report = new GrpoUpdate(policy, optimizer, new GrpoLossConfig { Beta = 0 }, 1, new BatchConfig()).Step(samples, 1);
        Assert.Equal(UpdateOutcome.NotFinite, report.Outcome);
        Assert.True(double.IsNaN(report.Metrics["loss"]));
        Assert.All(policy.Parameters, p => Assert.Equal(0, p.Value.LargestDifference(before[p.Key])));
        Assert.Equal(0, optimizer.Steps);
    }

    [Theory]
    [InlineData(OptimizerKind.AdamW, ScalarType.Float32, float.PositiveInfinity)]
    [InlineData(OptimizerKind.AdamW, ScalarType.Float32, float.NaN)]
    [InlineData(OptimizerKind.AdamW, ScalarType.BFloat16, float.NegativeInfinity)]
    [InlineData(OptimizerKind.Muon, ScalarType.Float32, float.NaN)]
    public void A_gradient_that_is_not_finite_is_never_applied_though_the_loss_is_finite(OptimizerKind kind, ScalarType dtype, float poison)
    {
        using var scope = NewDisposeScope();
        using var policy = TinyPolicy.Create(dtype);
        using var optimizer = Optimizer.For(policy, new OptimizerConfig { Kind = kind, WeightDecay = 0.1 });
        var samples = TinyPolicy.Samples(4);
        // Moments of zero would hide a step that decays them.
        Assert.Equal(UpdateOutcome.Applied, new GrpoUpdate(policy, optimizer, new GrpoLossConfig { Beta = 0 }, 1, new BatchConfig()).Step(samples, 1e-3).Outcome);
        Dictionary<string, Tensor> Copies() => policy.Parameters.Select(p => (p.Key, (Tensor)p.Value)).Concat(optimizer.State.Select(s => (s.Key, s.Value))).ToDictionary(t => t.Item1, t => t.Item2.detach().clone());
        var before = Copies();
        Assert.Contains(before, tensor => tensor.Key.StartsWith("exp_avg.", StringComparison.Ordinal) && tensor.Value.abs().max().item<float>() > 0);

        var gradient = new TokenGradient(policy, 1, new BatchConfig());
        var report = OptimizerStep.Run(samples, new MemoryBudget(new BatchConfig(), CPU), optimizer, policy, learningRate: 1, (batch, metrics) =>
        {
            gradient.Accumulate(batch, (_, logProbs, _) =>
            {
                metrics.Sum("loss", logProbs.sum());
                metrics.Collect();
                return logProbs.sum();
            });
            policy.Parameters["model.norm.weight"].grad![3] = poison;
        });
        Assert.Equal(UpdateOutcome.NotFinite, report.Outcome);
        Assert.True(double.IsFinite(report.Loss) && !double.IsFinite(report.GradNorm), $"loss {report.Loss}, norm {report.GradNorm}");
        Assert.Equal(1, UpdateReport.Mean([report])["updates/skipped"]);
        Assert.Equal(1, optimizer.Steps);
        Assert.All(Copies(), tensor => Assert.Equal(0, tensor.Value.LargestDifference(before[tensor.Key])));
    }

    [Fact]
    public void KL_without_reference_is_a_clear_error()
    {
        using var scope = NewDisposeScope();
        using var policy = TinyPolicy.Create();
        using var optimizer = AdamW.For(policy, new OptimizerConfig());
        var error = Assert.Throws<R1Exception>(() => new GrpoUpdate(policy, optimizer, new GrpoLossConfig(), 1, new BatchConfig()).Step(TinyPolicy.Samples(2), 1));
        Assert.Contains("reference model", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_leaves_no_tensor_behind()
    {
        using var policy = TinyPolicy.Create();
        using var optimizer = AdamW.For(policy, new OptimizerConfig());
        var update = new GrpoUpdate(policy, optimizer, new GrpoLossConfig { EntropyBonus = 0.01, TopEntropyShare = 0.5 }, 1, new BatchConfig { TokensPerMicroBatch = 40 });
        var samples = TinyPolicy.Samples(8, withOld: true, withReference: true, withSampler: true);
        update.Step(samples, 1e-3);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int step = 0; step < 5; step++) update.Step(samples, 1e-3);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Bfloat16_accumulates_in_single_precision_and_follows_the_single_precision_run()
    {
        using var scope = NewDisposeScope();
        using var single = TinyPolicy.Create();
        using var half = TinyPolicy.Create(ScalarType.BFloat16);
        var samples = TinyPolicy.Samples(16);
        Tensor GradientOf(CausalLM policy)
        {
            using var optimizer = AdamW.For(policy, new OptimizerConfig());
            var update = new GrpoUpdate(policy, optimizer, new GrpoLossConfig { Beta = 0 }, 1, new BatchConfig { TokensPerMicroBatch = 30 });
            update.Step(samples, 0);
            return cat([.. optimizer.State.Where(s => s.Key.StartsWith("exp_avg.", StringComparison.Ordinal)).Select(s => s.Value.view(-1))]).clone();
        }
        var (expected, actual) = (GradientOf(single), GradientOf(half));
        Assert.InRange((expected - actual).norm().item<float>() / expected.norm().item<float>(), 0, 0.05f);
    }

    // Slow: an update of a real model with 135 million parameters.
    [Fact, Trait("Category", "Slow")]
    public void A_real_model_in_bfloat16_learns_from_one_step()
    {
        using var scope = NewDisposeScope();
        using var policy = HfCheckpoint.LoadModel(Reference.SmolLm2(), TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu }), ScalarType.BFloat16);
        using var optimizer = AdamW.For(policy, new OptimizerConfig());
        var batching = new BatchConfig { TokensPerMicroBatch = 40, MillionLogitsPerChunk = 1 };
        var scorer = new SequenceScorer(policy, 1, batching);
        TrainingSample Completion(int first, float credit) => new()
        {
            Ids = Enumerable.Range(1000, 12).Concat(Enumerable.Range(first, 24)).ToArray(),
            PromptLength = 12,
            Credit = Enumerable.Repeat(credit, 24).ToArray(),
            Normalizer = Enumerable.Repeat(1 / 48f, 24).ToArray(),
        };
        TrainingSample[] samples = [Completion(2000, 1 / 48f), Completion(3000, -1 / 48f)];
        double Margin() => scorer.LogProbs(samples) is [var rewarded, var punished] ? rewarded.Average() - punished.Average() : double.NaN;
        double before = Margin();
        // A smaller step moves the masters, but hardly any of the weights that are rounded from them.
        var report = new GrpoUpdate(policy, optimizer, new GrpoLossConfig { Beta = 0 }, 1, batching).Step(samples, 1e-4);
        Assert.Equal(UpdateOutcome.Applied, report.Outcome);
        Assert.True(Margin() > before + 0.5, $"margin {before} → {Margin()}");
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
            SkipZeroAdvantages = false,
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
