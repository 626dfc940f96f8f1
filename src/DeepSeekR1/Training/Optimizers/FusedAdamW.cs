using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>LibTorch's fused AdamW kernel, clipping included; on every device.</summary>
internal static class FusedAdamW
{
    private static readonly TorchScript _script = new("""
        def step(weights: List[Tensor], gradients: List[Tensor], means: List[Tensor], squares: List[Tensor], steps: List[Tensor], divisor: Tensor,
                 lr: float, beta1: float, beta2: float, eps: float, weight_decay: float):
            torch._fused_adamw_(weights, gradients, means, squares, [], steps, lr=lr, beta1=beta1, beta2=beta2, weight_decay=weight_decay,
                                eps=eps, amsgrad=False, maximize=False, grad_scale=divisor)
            return divisor

        """);

    /// <summary>One step of some parameters, which are updated in place with their moments.</summary>
    public static void Step(Tensor[] weights, Tensor[] gradients, Tensor[] means, Tensor[] squares, long step, double divisor,
        double learningRate, double weightDecay, OptimizerConfig config)
    {
        if (weights.Length == 0) return;
        var device = weights[0].device;
        var steps = full(1, step, dtype: ScalarType.Float32, device: device);
        _script.Invoke("step", weights, gradients, means, squares, Enumerable.Repeat(steps, weights.Length).ToArray(),
            full(1, divisor, dtype: ScalarType.Float32, device: device), learningRate, config.Beta1, config.Beta2, config.Epsilon, weightDecay);
    }
}
