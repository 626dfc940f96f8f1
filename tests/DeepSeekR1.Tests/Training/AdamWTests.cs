using System.Text.Json;
using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

public class AdamWTests
{
    private const double Tolerance = 2e-6;

    [Fact]
    public void Trajectories_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        var golden = GoldenFile.Tensors("optim", "adamw.safetensors");
        foreach (var row in GoldenFile.Json("optim", "adamw.json").EnumerateArray())
        {
            string name = row.Text("name");
            int parameters = row.GetProperty("shapes").GetArrayLength(), steps = row.GetProperty("steps").GetInt32();
            // The reference decays its vectors too: a matrix of one row has the same numbers and decays.
            Tensor Matrix(Tensor values) => values.dim() == 1 ? values.unsqueeze(0) : values;
            Tensor[] weights = [.. Enumerable.Range(0, parameters).Select(i => Matrix(golden[$"{name}.p{i}.step0"]).clone().requires_grad_())];
            using var optimizer = new AdamW(Named(weights), ConfigOf(row));
            for (int step = 1; step <= steps; step++)
            {
                optimizer.ZeroGradient();
                for (int i = 0; i < parameters; i++) Accumulate(weights[i], Matrix(golden[$"{name}.g{i}.step{step}"]));
                optimizer.CollectGradient();
                optimizer.Step(row.GetProperty("lrs").ValueKind == JsonValueKind.Null ? row.Number("lr") : row.Numbers("lrs")[step - 1]);
                for (int i = 0; i < parameters; i++)
                    Assert.InRange(weights[i].LargestDifference(Matrix(golden[$"{name}.p{i}.step{step}"])), 0, Tolerance);
            }
        }
    }

    [Fact]
    public void Masters_of_bfloat16_weights_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        var golden = GoldenFile.Tensors("optim", "bf16_master.safetensors");
        var row = GoldenFile.Json("optim", "bf16_master.json");
        var weights = golden["weights_bf16_as_f32.step0"].bfloat16().requires_grad_();
        using var optimizer = new AdamW(Named(weights), ConfigOf(row));
        for (int step = 1; step <= row.GetProperty("steps").GetInt32(); step++)
        {
            optimizer.ZeroGradient();
            Accumulate(weights, golden[$"gradient_bf16_as_f32.step{step}"].bfloat16());
            optimizer.CollectGradient();
            optimizer.Step(row.Number("lr"));
            Assert.InRange(optimizer.State["master.p0"].LargestDifference(golden[$"master.step{step}"]), 0, Tolerance);
            // A master that differs in its last bit may round to the neighbouring bfloat16.
            double difference = (weights.to(ScalarType.Float32) - golden[$"weights_bf16_as_f32.step{step}"]).ne(0).sum().item<long>();
            Assert.InRange(difference, 0, weights.numel() / 20);
        }
    }

    [Fact]
    public void A_learning_rate_of_a_millionth_moves_bfloat16_weights()
    {
        using var scope = NewDisposeScope();
        var weights = full(100, 1, 0.02, dtype: ScalarType.BFloat16).requires_grad_();
        var before = weights.detach().clone();
        using var optimizer = new AdamW(Named(weights), new OptimizerConfig { MaxGradNorm = 0 });
        for (int step = 0; step < 200; step++)
        {
            optimizer.ZeroGradient();
            Accumulate(weights, ones_like(weights));
            optimizer.CollectGradient();
            optimizer.Step(1e-6);
        }
        Assert.InRange((before - weights).to(ScalarType.Float32).min().item<float>(), 1.5e-4f, 2.5e-4f);
    }

    [Fact]
    public void Clipping_equals_the_reference()
    {
        using var scope = NewDisposeScope();
        var golden = GoldenFile.Tensors("optim", "clip.safetensors");
        foreach (var row in GoldenFile.Json("optim", "clip.json").EnumerateArray())
        {
            int index = row.GetProperty("case").GetInt32();
            Tensor[] before = [.. Enumerable.Range(0, 99).Select(i => golden.GetValueOrDefault($"{index}.before{i}")!).TakeWhile(t => t is not null)];
            Tensor[] weights = [.. before.Select(t => zeros_like(t).requires_grad_())];
            using var optimizer = new AdamW(Named(weights), new OptimizerConfig { MaxGradNorm = row.Number("max_norm") });
            optimizer.ZeroGradient();
            for (int i = 0; i < weights.Length; i++) Accumulate(weights[i], before[i]);
            double norm = optimizer.Step(0), expected = row.Number("total_norm");
            Assert.InRange(Math.Abs(norm - expected), 0, Tolerance * Math.Max(1e-3, expected));
            for (int i = 0; i < weights.Length; i++)
                Assert.InRange(weights[i].grad!.LargestDifference(golden[$"{index}.after{i}"]), 0, Tolerance * Math.Min(1, row.Number("max_norm")));
        }
    }

    [Fact]
    public void Vectors_do_not_decay()
    {
        using var scope = NewDisposeScope();
        var (matrix, bias) = (ones(2, 2).requires_grad_(), ones(2).requires_grad_());
        using var optimizer = new AdamW(Named(matrix, bias), new OptimizerConfig { WeightDecay = 0.1 });
        optimizer.ZeroGradient();
        optimizer.Step(0.5);
        Assert.Equal(0.95f, matrix[0, 0].item<float>(), 1e-6f);
        Assert.Equal(1f, bias[0].item<float>());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_gradient_that_is_not_finite_changes_nothing(float poison)
    {
        using var scope = NewDisposeScope();
        var weights = ones(3, 3).requires_grad_();
        using var optimizer = new AdamW(Named(weights), new OptimizerConfig());
        optimizer.ZeroGradient();
        var gradient = zeros(3, 3);
        gradient[1, 1] = poison;
        Accumulate(weights, gradient);
        Assert.False(double.IsFinite(optimizer.Step(1)));
        Assert.Equal(0, optimizer.Steps);
        Assert.Equal(0, weights.LargestDifference(ones(3, 3)));
        Assert.Equal(0, optimizer.State["exp_avg.p0"].LargestDifference(zeros(3, 3)));
    }

    [Fact]
    public void A_restored_optimizer_continues_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        var first = TestNumbers.Normal(1, 7, 5).to(ScalarType.BFloat16).requires_grad_();
        using var original = new AdamW(Named(first), new OptimizerConfig { WeightDecay = 0.1 });
        void Step(AdamW optimizer, Tensor weights, int step)
        {
            optimizer.ZeroGradient();
            Accumulate(weights, TestNumbers.Normal(10 + step, 7, 5).to(ScalarType.BFloat16));
            optimizer.CollectGradient();
            optimizer.Step(1e-3);
        }
        for (int step = 0; step < 3; step++) Step(original, first, step);

        var second = first.detach().clone().requires_grad_();
        using var resumed = new AdamW(Named(second), new OptimizerConfig { WeightDecay = 0.1 });
        resumed.Restore(original.State.ToDictionary(s => s.Key, s => s.Value.clone()), original.Steps);
        for (int step = 3; step < 6; step++)
        {
            Step(original, first, step);
            Step(resumed, second, step);
        }
        Assert.Equal(0, first.LargestDifference(second));
        Assert.Equal(0, original.State["master.p0"].LargestDifference(resumed.State["master.p0"]));
    }

    [Fact]
    public void A_state_of_another_model_is_refused()
    {
        using var scope = NewDisposeScope();
        var weights = ones(3, 3).requires_grad_();
        using var optimizer = new AdamW(Named(weights), new OptimizerConfig());
        var missing = Assert.Throws<R1Exception>(() => optimizer.Restore(new Dictionary<string, Tensor>(), 1));
        Assert.Contains("exp_avg.p0", missing.Message, StringComparison.Ordinal);
        Assert.Throws<R1Exception>(() => optimizer.Restore(optimizer.State.ToDictionary(s => s.Key, _ => ones(2, 2)), 1));
    }

    private static (string, Tensor)[] Named(params Tensor[] weights) => [.. weights.Select((tensor, i) => ($"p{i}", tensor))];

    /// <summary>As a backward pass does it.</summary>
    private static void Accumulate(Tensor weights, Tensor gradient) => (weights * gradient).sum().backward();

    private static OptimizerConfig ConfigOf(JsonElement row)
    {
        double[] betas = row.Numbers("betas");
        return new OptimizerConfig { Beta1 = betas[0], Beta2 = betas[1], Epsilon = row.Number("eps"), WeightDecay = row.Number("weight_decay"), MaxGradNorm = 0 };
    }
}
