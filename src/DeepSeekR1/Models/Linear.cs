using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>A projection: weight [outputs, inputs] and, where the model has one, bias [outputs].</summary>
internal sealed class Linear(Parameter weight, Parameter? bias)
{
    /// <summary>[..., inputs] to [..., outputs].</summary>
    public Tensor Forward(Tensor x) => nn.functional.linear(x, weight, bias);

    /// <summary>The matrix that <see cref="Forward"/> multiplies with, [outputs, inputs].</summary>
    public Tensor Weight() => weight;
}
