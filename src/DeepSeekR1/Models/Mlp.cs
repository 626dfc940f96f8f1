using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>The gated feed-forward block: down(silu(gate(x)) * up(x)) (Shazeer 2020, "GLU Variants Improve Transformer").</summary>
internal sealed class Mlp(ModelParameters parameters, string prefix) : IFeedForward
{
    private readonly Linear _gate = parameters.Linear(prefix + "gate_proj");
    private readonly Linear _up = parameters.Linear(prefix + "up_proj");
    private readonly Linear _down = parameters.Linear(prefix + "down_proj");

    /// <inheritdoc/>
    public Tensor Forward(Tensor x)
    {
        var projected = Linear.ForwardAll(x, _gate, _up);
        return _down.Forward(Kernels.SwiGlu(projected[0], projected[1]));
    }
}
