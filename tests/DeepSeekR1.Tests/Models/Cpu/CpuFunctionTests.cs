using DeepSeekR1.Models;
using DeepSeekR1.Models.Cpu;
using DeepSeekR1.Runtime;
using DeepSeekR1.Tests.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Models.Cpu;

/// <summary>Values and gradients of the kernels beside LibTorch's operators in double precision.</summary>
public class CpuFunctionTests
{
    /// <summary>float32 rounds at 6e-8; bfloat16, which only the tensors hold, at 4e-3 of the largest number.</summary>
    public static TheoryData<ScalarType, double> Precisions => new() { { ScalarType.Float32, 1e-5 }, { ScalarType.BFloat16, 1.2e-2 } };

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Norm(ScalarType dtype, double tolerance)
    {
        foreach (long width in new long[] { 5, 16, 72, 576 })
        {
            AssertSame(dtype, tolerance, [[3, 70, width], [width]],
                x => RmsNormFunction.Of(x[0], x[1], 1e-5),
                x => x[0] * (x[0].square().mean([-1], keepdim: true) + 1e-5).rsqrt() * x[1]);
        }
    }

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Norm_of_a_residual_stream(ScalarType dtype, double tolerance)
    {
        foreach (long width in new long[] { 5, 72, 576 })
        {
            AssertSame(dtype, tolerance, [[3, 70, width], [3, 70, width], [width]],
                x => Both(ResidualNormFunction.Of(x[0], x[1], x[2], 1e-5)),
                x => Both((x[0] + x[1], Norm(x[0] + x[1], x[2]))));
            AssertSame(dtype, tolerance, [[3, 70, width], [width]],
                x => Both(ResidualNormFunction.Of(x[0], null, x[1], 1e-5)),
                x => Both((x[0], Norm(x[0], x[1]))));
        }

        static Tensor Norm(Tensor x, Tensor weight) => x * (x.square().mean([-1], keepdim: true) + 1e-5).rsqrt() * weight;

        static Tensor Both((Tensor Stream, Tensor Normed) results) => cat([results.Stream, results.Normed], -1);
    }

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Gated_unit(ScalarType dtype, double tolerance)
    {
        foreach (long width in new long[] { 3, 1536 })
        {
            AssertSame(dtype, tolerance, [[2, 30, width], [2, 30, width]],
                x => SwiGluFunction.Of(x[0], x[1]),
                x => nn.functional.silu(x[0]) * x[1]);
        }
    }

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Rotation(ScalarType dtype, double tolerance)
    {
        foreach (var (batch, width) in new[] { (1L, 64L), (2L, 6L) })
        {
            using var rotary = new RotaryEmbedding((int)width, 10_000, null, CPU);
            var rotation = rotary.At(arange(40, ScalarType.Int64).view(1, 40).expand(batch, 40), dtype);
            var (cos, sin) = (rotation.Cos.to(ScalarType.Float64), rotation.SignedSin.to(ScalarType.Float64));
            AssertSame(dtype, tolerance, [[2, 40, 3, width]],
                x => TurnFunction.Of(x[0], rotation.Cos, rotation.SignedSin),
                x => x[0] * cos + x[0].roll(width / 2, -1) * sin);
        }
    }

    public static TheoryData<ScalarType, double, string> Attentions
    {
        get
        {
            var data = new TheoryData<ScalarType, double, string>();
            foreach (var row in Precisions)
                foreach (string layout in _layouts.Keys) data.Add(row.Data.Item1, row.Data.Item2, layout);
            return data;
        }
    }

    private static readonly Dictionary<string, (TokenSpan[] Spans, int? Window)> _layouts = new()
    {
        ["one long sequence"] = ([new(0, 200)], null),
        ["packed sequences"] = ([new(0, 70), new(70, 1), new(71, 64), new(135, 5)], null),
        ["completions of shared prompts"] = ([new(0, 17), new(17, 30, 0), new(47, 9, 0), new(56, 80, 0), new(136, 20), new(156, 33, 4), new(189, 12)], null),
        ["a window"] = ([new(0, 17), new(17, 90, 0), new(107, 100)], 20),
    };

    [Theory]
    [MemberData(nameof(Attentions))]
    public void Attention(ScalarType dtype, double tolerance, string layout)
    {
        var (spans, window) = _layouts[layout];
        var sequences = new TokenSpans(spans);
        long tokens = sequences.Tokens;
        foreach (var (heads, keyHeads, width, valueWidth) in new[] { (6L, 2L, 64L, 64L), (2L, 2L, 24L, 8L), (8L, 1L, 80L, 80L) })
        {
            double scale = 1 / Math.Sqrt(width);
            AssertSame(dtype, tolerance, [[1, tokens, heads, width], [1, tokens, keyHeads, width], [1, tokens, keyHeads, valueWidth]],
                x => AttentionFunction.Of(x[0].transpose(1, 2), x[1].transpose(1, 2), x[2].transpose(1, 2), sequences, window, scale),
                x =>
                {
                    var (query, key, value) = (x[0].transpose(1, 2), Repeat(x[1].transpose(1, 2)), Repeat(x[2].transpose(1, 2)));
                    var scores = (query.matmul(key.transpose(-1, -2)) * scale).masked_fill(tensor(sequences.Allowed(window)).view(tokens, tokens).logical_not(), double.NegativeInfinity);
                    return scores.softmax(-1).matmul(value);
                });

            Tensor Repeat(Tensor x) => x.repeat_interleave(heads / keyHeads, 1);
        }
    }

    /// <summary>Where the processor multiplies bfloat16, other tests do not reach the kernel of those that do not.</summary>
    [Fact]
    public void Attention_in_bfloat16_without_products_of_bfloat16()
    {
        var (spans, window) = _layouts["completions of shared prompts"];
        var sequences = new TokenSpans(spans);
        using var scope = NewDisposeScope();
        Tensor[] x = [.. new long[] { 4, 2, 2, 4 }.Select((heads, i) => TestNumbers.Normal(i + 1, 1, sequences.Tokens, heads, 32).to(ScalarType.BFloat16).transpose(1, 2))];
        var expected = Attend(operands => NativeProduct.IsSupported ? new Bfloat16Attention(operands) : new VectorAttention<Bfloat16Lane>(operands));
        var actual = Attend(operands => new VectorAttention<Bfloat16Lane>(operands));
        for (int i = 0; i < actual.Length; i++)
            Assert.InRange((actual[i] - expected[i]).to(ScalarType.Float32).abs().max().item<float>() / expected[i].abs().max().to(ScalarType.Float32).item<float>(), 0, 1.2e-2f);

        Tensor[] Attend(Func<AttentionOperands, AttentionKernel<Bfloat16Lane>> kernelOf)
        {
            Tensor[] results = [.. x.Select(tensor => HeadRows.Empty(tensor, tensor.shape[3]))];
            var logSums = empty(sequences.Tokens, 4);
            var kernel = kernelOf(new(sequences, window, 0.2f, HeadRows.Of(x[0]), HeadRows.Of(x[1]), HeadRows.Of(x[2]), CpuTensors.Address(logSums)));
            kernel.Forward(HeadRows.Of(results[3]));
            kernel.Backward(HeadRows.Of(results[3]), HeadRows.Of(x[3]), HeadRows.Of(results[0]), HeadRows.Of(results[1]), HeadRows.Of(results[2]));
            return results;
        }
    }

    [Fact]
    public void A_batch_of_rows_is_as_many_sequences()
    {
        using var scope = NewDisposeScope();
        var x = TestNumbers.Normal(1, 3, 50, 2, 16).to(ScalarType.Float32).transpose(1, 2);
        var together = AttentionFunction.Of(x, x, x, TokenSpans.Rows(3, 50), null, 0.25);
        for (int row = 0; row < 3; row++)
        {
            var one = x.narrow(0, row, 1);
            Assert.Equal(0, (AttentionFunction.Of(one, one, one, TokenSpans.Rows(1, 50), null, 0.25) - together.narrow(0, row, 1)).abs().max().item<float>());
        }
    }

    [Fact]
    public void Results_do_not_depend_on_the_number_of_threads()
    {
        int threads = get_num_threads();
        try
        {
            Assert.Equal(Run(1), Run(3));
        }
        finally
        {
            set_num_threads(threads);
        }

        static float[] Run(int threads)
        {
            set_num_threads(threads);
            using var scope = NewDisposeScope();
            var x = TestNumbers.Normal(1, 1, 300, 4, 48).to(ScalarType.Float32).requires_grad_();
            var weight = ones(48).requires_grad_();
            var normed = RmsNormFunction.Of(x, weight, 1e-5).transpose(1, 2);
            var mixed = AttentionFunction.Of(normed, normed, normed, new TokenSpans([new(0, 100), new(100, 120, 0), new(220, 80, 0)]), null, 0.2);
            SwiGluFunction.Of(mixed, mixed).sum().backward();
            return cat([x.grad!.view(-1), weight.grad!]).data<float>().ToArray();
        }
    }

    private static void AssertSame(ScalarType dtype, double tolerance, long[][] shapes, Func<Tensor[], Tensor> actual, Func<Tensor[], Tensor> expected)
    {
        using var scope = NewDisposeScope();
        Tensor[] inputs = [.. shapes.Select((shape, i) => TestNumbers.Normal(i + 1, shape).to(dtype).requires_grad_())];
        Tensor[] exact = [.. inputs.Select(input => input.detach().to(ScalarType.Float64).requires_grad_())];
        var (y, exactY) = (actual(inputs), expected(exact));
        var pull = TestNumbers.Normal(9, exactY.shape).to(dtype);
        y.backward([pull]);
        exactY.backward([pull.to(ScalarType.Float64)]);
        AssertClose("value", y, exactY);
        for (int i = 0; i < inputs.Length; i++) AssertClose($"gradient {i}", inputs[i].grad!, exact[i].grad!);

        void AssertClose(string what, Tensor a, Tensor b)
        {
            double difference = (a.to(ScalarType.Float64) - b).abs().max().item<double>() / b.abs().max().item<double>();
            Assert.True(difference <= tolerance, $"{what}: {difference} of {string.Join(", ", shapes[0])}");
        }
    }
}
