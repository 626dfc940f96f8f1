using DeepSeekR1.Training;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

public class KlEstimatorTests
{
    [Theory]
    [InlineData(KlEstimator.K1, "k1")]
    [InlineData(KlEstimator.K2, "k2")]
    [InlineData(KlEstimator.K3, "k3")]
    public void Estimates_and_gradients_equal_the_reference(KlEstimator estimator, string name)
    {
        using var scope = NewDisposeScope();
        var golden = GoldenFile.Tensors("grpo", "kl.safetensors");
        var logProbs = golden["logps"].requires_grad_();
        var estimate = KlDivergence.Estimate(estimator, logProbs, golden["logps_ref"]);
        estimate.sum().backward();
        Assert.InRange(estimate.LargestDifference(golden[name]), 0, 2e-6);
        Assert.InRange(logProbs.grad!.LargestDifference(golden[$"{name}.dlogps"]), 0, 2e-6);
    }
}
