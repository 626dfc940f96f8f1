using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

public class MuonTests
{
    [Fact]
    public void Trajectories_equal_the_reference_to_a_hundredth_of_an_update()
    {
        using var scope = NewDisposeScope();
        var golden = GoldenFile.Tensors("optim", "muon.safetensors");
        foreach (var row in GoldenFile.Json("optim", "muon.json").GetProperty("cases").EnumerateArray())
        {
            string name = row.Text("name");
            int parameters = row.GetProperty("shapes").GetArrayLength(), steps = row.GetProperty("steps").GetInt32();
            double learningRate = row.Number("lr");
            var scale = row.GetProperty("adjust_lr_fn").GetString() == "match_rms_adamw" ? MuonScale.MatchAdamW : MuonScale.Original;
            Tensor[] weights = [.. Enumerable.Range(0, parameters).Select(i => golden[$"{name}.p{i}.step0"].clone().requires_grad_())];
            using var optimizer = new Muon([.. weights.Select((tensor, i) => ($"p{i}", tensor))], new OptimizerConfig
            {
                WeightDecay = row.Number("weight_decay"),
                MaxGradNorm = 0,
                Muon = new() { Momentum = row.Number("momentum"), Nesterov = row.GetProperty("nesterov").GetBoolean(), Iterations = row.GetProperty("ns_steps").GetInt32(), Scale = scale },
            });
            for (int step = 1; step <= steps; step++)
            {
                optimizer.ZeroGradient();
                for (int i = 0; i < parameters; i++) (weights[i] * golden[$"{name}.g{i}.step{step}"]).sum().backward();
                optimizer.Step(learningRate);
                for (int i = 0; i < parameters; i++)
                {
                    var expected = golden[$"{name}.p{i}.step{step}"];
                    double update = (expected - golden[$"{name}.p{i}.step{step - 1}"]).norm().item<float>();
                    double difference = (weights[i] - expected).norm().item<float>();
                    Assert.True(difference <= 1e-2 * update, $"{name} step {step} p{i}: {difference}, an update is {update}");
                }
            }
        }
    }

    [Theory]
    [InlineData(6, 10)]
    [InlineData(9, 4)]
    public void Singular_values_come_near_one(int rows, int columns)
    {
        using var scope = NewDisposeScope();
        var values = linalg.svdvals(Muon.Orthogonalize(TestNumbers.Normal(1, rows, columns), 5));
        // The quintic iteration trades exactness for speed: it ends between 0.7 and 1.2.
        Assert.InRange(values.min().item<double>(), 0.6, 1.25);
        Assert.InRange(values.max().item<double>(), 0.6, 1.25);
    }

    [Fact]
    public void Embeddings_and_vectors_follow_AdamW()
    {
        using var scope = NewDisposeScope();
        Tensor[] Fresh() => [ones(4, 3).requires_grad_(), ones(3).requires_grad_()];
        Tensor[] first = Fresh(), second = Fresh();
        (string, Tensor)[] Named(Tensor[] weights) => [("model.embed_tokens.weight", weights[0]), ("model.norm.weight", weights[1])];
        var config = new OptimizerConfig { WeightDecay = 0.1 };
        using var muon = new Muon(Named(first), config);
        using var adamW = new AdamW(Named(second), config);
        foreach (var (optimizer, weights) in new (IOptimizer, Tensor[])[] { (muon, first), (adamW, second) })
        {
            optimizer.ZeroGradient();
            (weights[0].sum() * 2 + weights[1].sum()).backward();
            optimizer.Step(0.1);
        }
        Assert.Equal(0, first[0].LargestDifference(second[0]));
        Assert.Equal(0, first[1].LargestDifference(second[1]));
    }

    [Fact]
    public void Muon_trains_a_policy()
    {
        using var scope = NewDisposeScope();
        using var policy = TinyPolicy.Create();
        using var optimizer = Optimizer.For(policy, new OptimizerConfig { Kind = OptimizerKind.Muon });
        SftSample[] samples = [new() { Ids = (int[])[1, 2, 3, 4, 5], IsLabel = (bool[])[false, true, true, true, true] }];
        var update = new SftUpdate(policy, optimizer, new SftLossConfig(), new BatchConfig());
        double first = update.Step(samples, 1e-2).Loss;
        for (int step = 0; step < 10; step++) update.Step(samples, 1e-2);
        Assert.True(update.Step(samples, 1e-2).Loss < first / 2);
    }
}
