using DeepSeekR1.Checkpoints;
using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

/// <summary>AdamW with moments of 8 bits: the code, and how far it strays from moments of single precision.</summary>
public sealed class EightBitAdamWTests(ITestOutputHelper output) : IDisposable
{
    private static readonly OptimizerConfig _eight = new() { StateBits = 8, MaxGradNorm = 0 };

    private readonly DisposeScope _scope = NewDisposeScope();

    [Theory, InlineData(true), InlineData(false)]
    public void The_code_has_256_numbers_denser_towards_zero(bool isSigned)
    {
        double[] numbers = [.. DynamicCode.Numbers(isSigned)];
        Assert.Equal(256, numbers.Distinct().Count());
        Assert.Equal(numbers.Order(), numbers);
        Assert.Contains(0.0, numbers);
        Assert.Equal(1, numbers[^1]);
        // The lowest decade, 1e-7 to 1e-6, has one number, or two where none is negative.
        Assert.Equal(isSigned ? 0.55e-6 : 0.325e-6, numbers.First(number => number > 0), 1e-12);
        Assert.Equal(isSigned ? 127 : 0, numbers.Count(number => number < 0));
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Numbers_come_back_within_half_a_step_of_their_decade(bool isSigned)
    {
        using var code = new DynamicCode(isSigned, ScalarType.Float32, CPU);
        var values = TestNumbers.Normal(1, 1000).to(ScalarType.Float32) * pow(10, TestNumbers.Normal(2, 1000).to(ScalarType.Float32));
        if (!isSigned) values = values.abs();
        using var quantized = new QuantizedTensor(1000, code, ScalarType.Float32, CPU);
        quantized.Write(0, values);
        float[] expected = values.Floats(), actual = quantized.Read(0, 1000).Floats(), scales = quantized.Scales.Floats();
        Assert.Equal(4, scales.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            double scale = scales[i / 256], share = Math.Abs(expected[i] / scale), decade = Math.Pow(10, Math.Ceiling(Math.Log10(Math.Max(share, 1e-7))));
            // Nine tenths of a decade hold 2^k numbers; at the seams the step of the next decade counts.
            double step = 0.9 * Math.Min(1, 10 * decade) / (1 << (int)Math.Clamp(Math.Log10(Math.Min(1, 10 * decade)) + 6 + (isSigned ? 0 : 1), 0, 8));
            Assert.InRange(Math.Abs(actual[i] - expected[i]), 0, scale * (0.5 * step + 1e-7));
            if (expected[i] == scale) Assert.Equal(expected[i], actual[i]);
        }
        if (!isSigned) Assert.DoesNotContain(actual.Zip(expected), pair => pair.First == 0 && pair.Second != 0);
    }

    [Fact]
    public void Weights_follow_those_of_single_precision_moments()
    {
        // Gradients of a thousandfold spread inside a block; those of every other weight fall to a thirtieth on the way.
        const int Rows = 64, Columns = 96, Steps = 300;
        const double LearningRate = 1e-3;
        var spread = pow(10, TestNumbers.Normal(1, Rows, Columns).clamp(-1.5, 1.5));
        var mean = TestNumbers.Normal(2, Rows, Columns) * 0.3;
        var falling = arange(Rows * Columns).remainder(2).view(Rows, Columns).to(ScalarType.Float64);
        Tensor[] weights = [.. Enumerable.Range(0, 2).Select(_ => zeros(Rows, Columns).requires_grad_())];
        AdamW[] optimizers = [new([("a.weight", weights[0])], _eight), new([("a.weight", weights[1])], _eight with { StateBits = 32 })];
        double errors = 0, norms = 0, longest = 0;
        for (int step = 0; step < Steps; step++)
        {
            using var scope = NewDisposeScope();
            var gradient = (spread * (mean + TestNumbers.Normal(100 + step, Rows, Columns)) * (step > Steps / 3 ? 1 - 29.0 / 30 * falling : 1)).to(ScalarType.Float32);
            Tensor[] moves = [.. weights.Zip(optimizers, (weight, optimizer) =>
            {
                var before = weight.detach().clone();
                optimizer.ZeroGradient();
                (weight * gradient).sum().backward();
                optimizer.Step(LearningRate);
                return weight.detach() - before;
            })];
            errors += (moves[0] - moves[1]).pow(2).sum().item<float>();
            norms += moves[1].pow(2).sum().item<float>();
            longest = Math.Max(longest, moves[0].abs().max().item<float>() / LearningRate);
        }
        double ofSteps = Math.Sqrt(errors / norms), ofWeights = (weights[0] - weights[1]).norm().item<float>() / weights[1].norm().item<float>();
        output.WriteLine($"steps differ by {ofSteps:P1}, weights by {ofWeights:P1}, longest step {longest:F1} learning rates");
        Assert.InRange(ofSteps, 1e-3, 0.15);
        Assert.InRange(ofWeights, 1e-3, 0.1);
        // A second moment rounded to zero would show as steps of tens of learning rates.
        Assert.InRange(longest, 0.5, 3);
        foreach (var optimizer in optimizers) optimizer.Dispose();
    }

    [Fact]
    public void A_restored_optimizer_continues_bit_for_bit_through_a_file()
    {
        // More than one chunk is not needed; the last block is not full.
        var first = TestNumbers.Normal(1, 71, 65).bfloat16().requires_grad_();
        using var original = new AdamW([("a.weight", first)], _eight);
        void Step(AdamW optimizer, Tensor weights, int step)
        {
            optimizer.ZeroGradient();
            (weights * TestNumbers.Normal(10 + step, 71, 65).bfloat16()).sum().backward();
            optimizer.CollectGradient();
            optimizer.Step(1e-3);
        }
        for (int step = 0; step < 3; step++) Step(original, first, step);
        string file = Path.GetTempFileName();
        SafeTensors.Save(file, original.State);
        var second = first.detach().clone().requires_grad_();
        using var resumed = new AdamW([("a.weight", second)], _eight);
        resumed.Restore(SafeTensors.Load(file), original.Steps);
        File.Delete(file);
        for (int step = 3; step < 6; step++)
        {
            Step(original, first, step);
            Step(resumed, second, step);
        }
        Assert.Equal(0, first.LargestDifference(second));
        foreach (var (name, state) in original.State) Assert.Equal(0, state.LargestDifference(resumed.State[name]));
        using var single = new AdamW([("a.weight", second)], _eight with { StateBits = 32 });
        Assert.Contains("exp_avg", Assert.Throws<R1Exception>(() => single.Restore(original.State, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Large_matrices_alone_are_kept_in_bytes()
    {
        (string, Tensor)[] parameters =
        [
            ("model.embed_tokens.weight", zeros(100, 64).requires_grad_()), ("model.layers.0.mlp.up_proj.weight", zeros(128, 64).requires_grad_()),
            ("model.layers.0.small.weight", zeros(8, 64).requires_grad_()), ("model.norm.weight", zeros(8192).requires_grad_()),
        ];
        using var optimizer = new AdamW(parameters, _eight);
        Assert.Equal(["model.layers.0.mlp.up_proj.weight"], optimizer.State.Where(state => state.Value.dtype == ScalarType.Byte).Select(state => state.Key.Split('.', 2)[1]).Distinct());
        // Two bytes a weight, and a scale of four bytes for 256 of each moment.
        long bytes = optimizer.State.Where(state => state.Key.Contains("up_proj", StringComparison.Ordinal)).Sum(state => state.Value.numel() * state.Value.element_size());
        Assert.Equal(128 * 64 * 2 + 128 * 64 / 256 * 2 * 4, bytes);
    }

    [Fact]
    public void A_gradient_that_is_not_finite_changes_nothing()
    {
        var weights = ones(64, 64).requires_grad_();
        using var optimizer = new AdamW([("a.weight", weights)], _eight);
        optimizer.ZeroGradient();
        (weights * float.NaN).sum().backward();
        Assert.False(double.IsFinite(optimizer.Step(1)));
        Assert.Equal(0, weights.LargestDifference(ones(64, 64)));
        Assert.Equal(0, optimizer.State["exp_avg_scale.a.weight"].LargestDifference(zeros(16)));
    }

    public void Dispose() => _scope.Dispose();
}
