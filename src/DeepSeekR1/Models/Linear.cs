using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>A projection: weight [outputs, inputs] and, where the model has one, bias [outputs].</summary>
internal sealed class Linear(Parameter weight, Parameter? bias)
{
    public Parameter BaseWeight => weight;

    /// <summary>What an adapter adds; null without one, or while it is switched off or merged.</summary>
    public LoraDelta? Delta { get; set; }

    /// <summary>[..., inputs] to [..., outputs].</summary>
    public Tensor Forward(Tensor x)
    {
        var y = nn.functional.linear(x, weight, bias);
        return Delta is null ? y : Kernels.Add(y, Delta.Forward(x));
    }

    /// <summary>The matrix that <see cref="Forward"/> multiplies with, [outputs, inputs].</summary>
    public Tensor Weight() => Delta is null ? weight : Kernels.Add(weight, Delta.Matrix());
}
