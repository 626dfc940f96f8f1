using DeepSeekR1.Models;
using DeepSeekR1.Tests.Training;
using TorchSharp;
using static TorchSharp.torch;
using Linear = DeepSeekR1.Models.Linear;
using Parameter = TorchSharp.Modules.Parameter;

namespace DeepSeekR1.Tests.Models;

public class ProjectionFunctionTests
{
    /// <summary>Values and gradients of three projections of one input beside LibTorch's in double precision; rounding as in other kernels.</summary>
    [Theory]
    [InlineData(ScalarType.Float32, 1e-5, false)]
    [InlineData(ScalarType.BFloat16, 1.2e-2, false)]
    [InlineData(ScalarType.BFloat16, 1.2e-2, true)]
    public void Projections_of_one_input(ScalarType dtype, double tolerance, bool isFrozen)
    {
        using var scope = NewDisposeScope();
        long[] widths = [48, 16, 32];
        var x = TestNumbers.Normal(1, 2, 40, 64).to(dtype).requires_grad_();
        Parameter[] weights = [.. widths.Select((width, i) => new Parameter(TestNumbers.Normal(2 + i, width, 64).to(dtype), requires_grad: !isFrozen))];
        var bias = new Parameter(TestNumbers.Normal(5, 16).to(dtype));
        var results = Linear.ForwardAll(x, new(weights[0], null), new(weights[1], bias), new(weights[2], null));
        Tensor[] pulls = [.. results.Select((result, i) => TestNumbers.Normal(6 + i, result.shape).to(dtype))];
        autograd.backward([.. results], [.. pulls]);

        Tensor Exact(Tensor tensor) => tensor.detach().to(ScalarType.Float64).requires_grad_();
        Tensor exactX = Exact(x), exactBias = Exact(bias);
        Tensor[] exactWeights = [.. weights.Select(Exact)];
        Tensor[] expected = [.. exactWeights.Select((weight, i) => nn.functional.linear(exactX, weight, i == 1 ? exactBias : null))];
        autograd.backward([.. expected], [.. pulls.Select(pull => pull.to(ScalarType.Float64))]);

        for (int i = 0; i < widths.Length; i++)
        {
            AssertClose(expected[i], results[i]);
            if (isFrozen) Assert.Null(weights[i].grad);
            else AssertClose(exactWeights[i].grad!, weights[i].grad!);
        }
        AssertClose(exactX.grad!, x.grad!);
        AssertClose(exactBias.grad!, bias.grad!);

        void AssertClose(Tensor exact, Tensor actual) =>
            Assert.InRange((actual.to(ScalarType.Float64) - exact).abs().max().item<double>() / exact.abs().max().item<double>(), 0, tolerance);
    }
}
