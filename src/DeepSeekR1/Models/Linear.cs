using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>A projection: weight [outputs, inputs] and, where the model has one, bias [outputs].</summary>
internal sealed class Linear(IReadOnlyDictionary<string, Parameter> parameters, string name)
{
    private readonly Parameter _weight = parameters[name + ".weight"];
    private readonly Parameter? _bias = parameters.GetValueOrDefault(name + ".bias");

    /// <summary>[..., inputs] to [..., outputs].</summary>
    public Tensor Forward(Tensor x) => nn.functional.linear(x, _weight, _bias);
}
