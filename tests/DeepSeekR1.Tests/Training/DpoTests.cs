using DeepSeekR1.Configuration;
using DeepSeekR1.Data;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using DeepSeekR1.Testing;
using DeepSeekR1.Text;
using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

public class DpoTests
{
    private const double Bound = 2e-6;

    [Fact]
    public void Losses_gradients_and_metrics_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        var golden = GoldenFile.Tensors("preference", "dpo.safetensors");
        var mask = golden["completion_mask"].narrow(1, 1, golden["completion_mask"].shape[1] - 1).to(ScalarType.Float64);
        double[] lengths = Sums(mask), policy = Sums(golden["logps"]), reference = Sums(golden["logps_ref"]);
        var rows = GoldenFile.Rows("preference", "dpo.jsonl");
        Assert.Equal(Enum.GetValues<DpoLossKind>().Length, rows.Select(row => row.Text("loss_type")).Distinct().Count());
        foreach (var row in rows)
        {
            var kind = Enum.Parse<DpoLossKind>(row.Text("loss_type").Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
            var config = new DpoConfig { Loss = kind, Beta = row.Number("beta"), LabelSmoothing = row.Number("label_smoothing") };
            var (credit, metrics) = DpoUpdate.Credit(config, policy, reference, lengths);
            var results = metrics.Results();
            // The reference computed in single precision: the bound is of its size.
            double size = Math.Max(1, row.Number("loss"));
            Assert.True(Math.Abs(results["loss"] - row.Number("loss")) <= Bound * size, $"{row.Text("name")}: {results["loss"]} instead of {row.Number("loss")}");
            // A reply's gradient is the same at each of its tokens; what the reference says of padding is not asked for.
            double off = ((tensor(credit).unsqueeze(1) - golden[row.Text("gradient")]) * mask).abs().max().item<double>();
            Assert.True(off <= Bound * size, $"{row.Text("name")}: gradient off by {off}");
            foreach (var metric in row.GetProperty("metrics").EnumerateObject()) Assert.Equal(metric.Value.Number(), results[metric.Name], 2e-6);
        }

        double[] Sums(Tensor tokens) => (tokens.to(ScalarType.Float64) * mask).sum(1).data<double>().ToArray();
    }

    [Theory]
    [InlineData(DpoLossKind.Sigmoid)]
    [InlineData(DpoLossKind.Ipo)]
    [InlineData(DpoLossKind.Aot)]
    [InlineData(DpoLossKind.BcoPair)]
    public void The_gradient_is_the_same_however_the_step_is_cut(DpoLossKind loss)
    {
        using var scope = NewDisposeScope();
        var whole = Gradients(4096, 0);
        foreach (var (tokens, packed) in new[] { (12, 0), (4096, 40) })
            Assert.All(whole.Zip(Gradients(tokens, packed)), pair => Assert.InRange(pair.First.LargestDifference(pair.Second), 0, 1e-12));

        List<Tensor> Gradients(int tokensPerMicroBatch, int packedRowLength)
        {
            using var model = TinyPolicy.Create(ScalarType.Float64);
            using var optimizer = AdamW.For(model, new OptimizerConfig());
            var batching = new BatchConfig { TokensPerMicroBatch = tokensPerMicroBatch, PackedRowLength = packedRowLength };
            new DpoUpdate(model, optimizer, new DpoConfig { Loss = loss, Batching = batching }).Step(Pairs(), 0);
            return [.. model.Parameters.Values.Select(parameter => parameter.grad!.clone())];
        }
    }

    [Fact]
    public void A_step_raises_the_chosen_reply_and_lowers_the_rejected_one()
    {
        using var model = TinyPolicy.Create();
        using var optimizer = AdamW.For(model, new OptimizerConfig());
        var update = new DpoUpdate(model, optimizer, new DpoConfig());
        double[] before = [.. update.Score([.. Pairs().Select(pair => pair.Chosen)]), .. update.Score([.. Pairs().Select(pair => pair.Rejected)])];
        var pairs = Pairs().Select((pair, i) => pair with { ReferenceChosen = before[i], ReferenceRejected = before[Pairs().Count + i] }).ToList();
        var first = update.Step(pairs, 1e-3);
        Assert.Equal(Math.Log(2), first.Loss, 1e-6);
        UpdateReport last = first;
        for (int step = 0; step < 20; step++) last = update.Step(pairs, 1e-3);
        Assert.Equal(1, last.Metrics["rewards/accuracies"]);
        Assert.True(last.Metrics["rewards/chosen"] > 0 && last.Metrics["rewards/rejected"] < 0 && last.Loss < first.Loss);
    }

    [Fact]
    public async Task A_resumed_trainer_goes_on_bit_for_bit_with_the_reference_it_began_with()
    {
        using var folder = new TemporaryFolder();
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 });
        string start = EmbeddedModels.Resolve("embedded:mini-base", folder.Path);
        PreferenceExample[] examples = [.. Enumerable.Range(0, 12).Select(i => new PreferenceExample(SftExample.Chat($"p{i}", $"{i} + 1", $"{i + 1}"), SftExample.Chat($"p{i}", $"{i} + 1", $"{i + 3}")))];
        var config = new DpoConfig { BatchSize = 4, Epochs = 2, Optimizer = new OptimizerConfig { LearningRate = 1e-3 } };
        var token = TestContext.Current.CancellationToken;

        using var whole = PolicyModel.Load(start, runtime);
        var expected = new List<StepReport>();
        using (var trainer = new DpoTrainer(examples, whole, config))
        {
            Assert.Equal(6, trainer.TotalSteps);
            await foreach (var step in trainer.TrainAsync(token))
            {
                expected.Add(step);
                if (step.Step == 2) trainer.Save(folder.File("checkpoint"));
            }
        }
        Assert.Equal(Math.Log(2), expected[0].Metrics["loss"], 1e-6);
        Assert.True(expected[^1].Metrics["loss"] < expected[0].Metrics["loss"]);

        using var parted = PolicyModel.Load(folder.File("checkpoint"), runtime);
        using var resumed = new DpoTrainer(examples, parted, config);
        resumed.Restore(folder.File("checkpoint"));
        await foreach (var step in resumed.TrainAsync(token)) Assert.Equal(expected[step.Step - 1].Metrics, step.Metrics);
        using var scope = NewDisposeScope();
        Assert.All(whole.Model.Parameters, parameter => Assert.Equal(0, parameter.Value.LargestDifference(parted.Model.Parameters[parameter.Key])));
    }

    /// <summary>A prompt of three tokens with replies of four and two.</summary>
    [Theory]
    [InlineData(7, null, "1234567/3", "12389/3")]
    [InlineData(6, null, null, null)]
    [InlineData(6, Truncation.KeepStart, "123456/3", "12389/3")]
    [InlineData(4, Truncation.KeepStart, "1234/3", "1238/3")]
    [InlineData(3, Truncation.KeepStart, null, null)]
    [InlineData(6, Truncation.KeepEnd, "234567/2", "12389/3")]
    [InlineData(4, Truncation.KeepEnd, "4567/1", "2389/2")]
    [InlineData(2, Truncation.KeepEnd, "67/1", "89/1")]
    public void A_pair_that_is_too_long_loses_one_end_or_is_left_out(int limit, Truncation? truncation, string? chosen, string? rejected)
    {
        static string? Show(EncodedExample? reply) => reply is null ? null : $"{string.Concat(reply.Ids.ToArray())}/{reply.PromptLength}";
        var pair = DpoTrainer.Fit(new(new[] { 1, 2, 3, 4, 5, 6, 7 }, 3), new(new[] { 1, 2, 3, 8, 9 }, 3), limit, truncation);
        Assert.Equal((chosen, rejected), (Show(pair?.Chosen), Show(pair?.Rejected)));
    }

    [Fact]
    public async Task Pairs_that_are_too_long_are_counted_or_cut()
    {
        using var folder = new TemporaryFolder();
        using var policy = PolicyModel.Load(EmbeddedModels.Resolve("embedded:mini-base", folder.Path), TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 }));
        PreferenceExample Pair(int words) => new(new TextExample("p", "tom has 3 .", string.Concat(Enumerable.Repeat(" 4", words))), new TextExample("p", "tom has 3 .", " 5"));
        PreferenceExample[] examples = [Pair(2), Pair(40)];
        var config = ConfigReader.Parse<DpoConfig>("""{ "maxLength": 20 }""", "dpo.json", []);
        using (var whole = new DpoTrainer(examples, policy, config)) Assert.Equal(1, whole.TooLong);
        using var cut = new DpoTrainer(examples, policy, ConfigReader.Parse<DpoConfig>("""{ "maxLength": 20, "truncation": "keep-end" }""", "dpo.json", []));
        Assert.Equal(0, cut.TooLong);
        Assert.Equal(Math.Log(2), (await cut.StepAsync(TestContext.Current.CancellationToken)).Metrics["loss"], 1e-6);
        Assert.Contains("None of 2 pairs fits into 2 tokens", Assert.Throws<R1Exception>(() => new DpoTrainer(examples, policy, config with { MaxLength = 2, Truncation = Truncation.KeepStart })).Message, StringComparison.Ordinal);
    }

    private static List<DpoPair> Pairs()
    {
        var samples = TinyPolicy.Samples(10);
        return [.. Enumerable.Range(0, 5).Select(i => new DpoPair(Example(2 * i), Example(2 * i + 1), -3.1 - i, -2.7))];
        EncodedExample Example(int index) => new(samples[index].Ids, samples[index].PromptLength);
    }
}
