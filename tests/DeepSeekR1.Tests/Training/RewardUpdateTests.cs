using DeepSeekR1.Checkpoints;
using DeepSeekR1.Data;
using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using DeepSeekR1.Testing;
using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

public class RewardUpdateTests
{
    private static readonly string[] _metrics = ["min_reward", "mean_reward", "max_reward", "accuracy", "margin"];

    [Theory]
    [InlineData("plain", 16_384)]
    [InlineData("margin", 16_384)]
    [InlineData("centered", 16_384)]
    [InlineData("margin_centered", 16_384)]
    [InlineData("margin_centered", 40)]
    public void Runs_of_five_steps_equal_the_reference(string name, int tokensPerMicroBatch)
    {
        using var scope = NewDisposeScope();
        var run = GoldenFile.Json("preference", "reward.json").EnumerateArray().Single(run => run.Text("name") == name);
        var golden = GoldenFile.Tensors("preference", $"reward_{name}.safetensors");
        using var model = LoadClassifier("qwen2_classifier");
        double learningRate = run.GetProperty("optimizer").Number("lr");
        using var optimizer = AdamW.For(model, GoldenTrainingRun.OptimizerOf(run, learningRate, maxGradNorm: 1));
        var update = new RewardUpdate(model, optimizer, new BatchConfig { TokensPerMicroBatch = tokensPerMicroBatch }, run.NumberOrNull("center_rewards_coefficient") ?? 0);

        int step = 0;
        foreach (var log in run.GetProperty("logs").EnumerateArray())
        {
            var pairs = PairsOf(golden, ++step);
            if (step == 1)
            {
                update.Gradient(pairs);
                foreach (var norm in run.GetProperty("gradient1_l2").EnumerateObject())
                    Assert.Equal(norm.Value.Number(), model.Parameters[norm.Name].grad!.to(ScalarType.Float64).norm().item<double>(), 1e-5 * Math.Max(1, norm.Value.Number()));
            }
            var report = update.Step(pairs, log.Number("learning_rate"));
            // Later steps start from weights that differ by Adam's steps of gradients that are rounding noise.
            Assert.InRange(Math.Abs(report.Loss - log.Number("loss")), 0, step == 1 ? 2e-6 : 1e-4);
            Assert.InRange(Math.Abs(report.GradNorm - log.Number("grad_norm")), 0, 2e-5 * log.Number("grad_norm"));
            foreach (string metric in _metrics) Assert.Equal(log.Number(metric), report.Metrics[metric], step == 1 ? 2e-6 : 1e-4);
        }
        foreach (var (key, expected) in golden.Where(entry => entry.Key.StartsWith("weights5.", StringComparison.Ordinal)))
            Assert.InRange(model.Parameters[key["weights5.".Length..]].LargestDifference(expected), 0, 2 * learningRate * step);
    }

    [Theory]
    [InlineData("hard")]
    [InlineData("soft")]
    public void Pointwise_loss_equals_the_reference(string targets)
    {
        using var scope = NewDisposeScope();
        var golden = GoldenFile.Tensors("preference", "pointwise_bce.safetensors");
        var scores = golden["scores"].detach().requires_grad_();
        var loss = RewardUpdate.PointwiseLoss(scores, golden[$"{targets}.targets"]) / scores.numel();
        loss.backward();
        Assert.InRange(loss.LargestDifference(golden[$"{targets}.loss"]), 0, 2e-6);
        Assert.InRange(scores.grad!.LargestDifference(golden[$"{targets}.dscores"]), 0, 2e-6);
    }

    [Theory]
    [InlineData("qwen2")]
    [InlineData("llama")]
    public void Scores_and_their_gradient_equal_the_reference(string family)
    {
        using var scope = NewDisposeScope();
        var run = GoldenFile.Json("preference", "scores.json").EnumerateArray().Single(run => run.Text("model") == $"models/{family}_classifier");
        var golden = GoldenFile.Tensors("preference", $"scores_{family}.safetensors");
        using var model = LoadClassifier($"{family}_classifier");
        ReadOnlyMemory<int>[] sequences = [.. run.GetProperty("sequences").EnumerateArray().Select(row => new ReadOnlyMemory<int>([.. row.EnumerateArray().Select(id => id.GetInt32())]))];
        var (ids, lengths) = PaddedSequences.Of(sequences, model.Device);
        var scores = model.Score(ids, lengths);
        Assert.InRange(scores.LargestDifference(golden["alone.scores"]), 0, 1e-5);

        (scores * arange(1, sequences.Length + 1)).sum().backward();
        // transformers keeps the padding's row (id 0) out of training.
        var embedding = model.Parameters["model.embed_tokens.weight"].grad!;
        Assert.InRange(embedding.narrow(0, 1, embedding.shape[0] - 1).LargestDifference(golden["right.gradient.embed_tokens"].narrow(0, 1, embedding.shape[0] - 1)), 0, 1e-4);
        Assert.InRange(model.Parameters["score.weight"].grad!.LargestDifference(golden["right.gradient.score.weight"]), 0, 1e-4);
    }

    [Fact]
    public void A_good_reply_rises_above_zero_and_a_bad_one_falls_below()
    {
        using var model = LoadClassifier("llama_classifier");
        using var optimizer = AdamW.For(model, new OptimizerConfig());
        var update = new RewardUpdate(model, optimizer, new BatchConfig());
        LabelledReply[] replies = [new(new[] { 3, 5, 9, 2 }, 1), new(new[] { 3, 5, 40, 41, 2 }, 0)];
        for (int i = 0; i < 30; i++) update.Step(replies, 1e-3);
        var report = update.Step(replies, 0);
        Assert.Equal(1, report.Metrics["accuracy"]);
        Assert.True(report.Metrics["min_reward"] < 0 && report.Metrics["max_reward"] > 0);
    }

    [Fact]
    public void Examples_that_are_too_long_are_left_out_and_counted()
    {
        using var folder = new TemporaryFolder();
        using var model = RewardModel.Open(EmbeddedModels.Resolve("embedded:mini-base", folder.Path), TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 }), new AddressedRandom(1, RandomPurpose.Weights));
        SftExample Reply(int words) => new TextExample("p", "tom has 3 .", string.Concat(Enumerable.Repeat(" 4", words)));
        PreferenceExample[] pairs = [new(Reply(2), Reply(3)), new(Reply(1), Reply(40))];
        VerdictExample[] verdicts = [new(Reply(2), true), new(Reply(30), true), new(Reply(40), false)];
        RewardModelConfig limited = new() { MaxLength = 20, BatchSize = 1 };
        using RewardModelTrainer onPairs = RewardModelTrainer.OnPairs(pairs, model, limited), onVerdicts = RewardModelTrainer.OnVerdicts(verdicts, model, limited), whole = RewardModelTrainer.OnPairs(pairs, model, new RewardModelConfig { BatchSize = 1 });
        Assert.Equal([(1, 1), (2, 1), (0, 2)], new[] { onPairs, onVerdicts, whole }.Select(trainer => (trainer.TooLong, trainer.TotalSteps)));
        Assert.Contains("None of 2 examples has at most 2 tokens", Assert.Throws<R1Exception>(() => RewardModelTrainer.OnPairs(pairs, model, limited with { MaxLength = 2 })).Message, StringComparison.Ordinal);
    }

    private static SequenceClassifier LoadClassifier(string name) => HfCheckpoint.LoadClassifier(
        Reference.Golden("preference", "models", name), TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 }), ScalarType.Float32);

    /// <summary>The rows of a step: first the chosen, then the rejected, without their padding.</summary>
    private static List<PreferencePair> PairsOf(Dictionary<string, Tensor> golden, int step)
    {
        var (ids, mask) = (golden[$"step{step}.input_ids"], golden[$"step{step}.attention_mask"]);
        float[]? margins = golden.TryGetValue($"step{step}.margin", out var given) ? given.Floats() : null;
        int pairs = (int)ids.shape[0] / 2;
        ReadOnlyMemory<int> Row(int row) => ids[row].Longs().Zip(mask[row].Longs()).Where(token => token.Second == 1).Select(token => (int)token.First).ToArray();
        return [.. Enumerable.Range(0, pairs).Select(pair => new PreferencePair(Row(pair), Row(pairs + pair), margins?[pair] ?? 0))];
    }
}
