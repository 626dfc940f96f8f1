using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>The gated feed-forward block: down(silu(gate(x)) * up(x)) (Shazeer 2020, "GLU Variants Improve Transformer").</summary>
internal sealed class Mlp(IReadOnlyDictionary<string, Parameter> parameters, string prefix)
{
    private readonly Linear _gate = new(parameters, prefix + "gate_proj");
    private readonly Linear _up = new(parameters, prefix + "up_proj");
    private readonly Linear _down = new(parameters, prefix + "down_proj");

    /// <summary>[..., hidden] to the same.</summary>
    public Tensor Forward(Tensor x) => _down.Forward(nn.functional.silu(_gate.Forward(x)) * _up.Forward(x));
}
