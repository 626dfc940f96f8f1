using DeepSeekR1.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>Makes parameters that belong to a model and to no dispose scope.</summary>
internal static class ParameterFactory
{
    /// <summary>Wraps a tensor; the tensor is consumed.</summary>
    public static Parameter Own(Tensor value, bool trainable)
    {
        var parameter = nn.Parameter(value, trainable);
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>Every parameter of a fresh model; each has its own stream of draws.</summary>
    public static Dictionary<string, Parameter> DrawAll(ModelConfig config, AddressedRandom init, ScalarType dtype, Device device)
    {
        using var noGrad = no_grad();
        return ParameterLayout.Of(config).Select((spec, index) => (spec, index)).ToDictionary(
            parameter => parameter.spec.Name,
            parameter => Own(Draw(parameter.spec, config, init.Stream(step: parameter.index), dtype, device), parameter.spec.IsTrainable), StringComparer.Ordinal);
    }

    /// <summary>A fresh parameter's values.</summary>
    public static Tensor Draw(ParameterSpec spec, ModelConfig config, AddressedStream stream, ScalarType dtype, Device device)
    {
        if (!spec.IsTrainable) dtype = ScalarType.Float32;
        double deviation = spec.Initialization switch
        {
            Initialization.FanIn => 1 / Math.Sqrt(spec.Shape[^1]),
            Initialization.Residual => 1 / Math.Sqrt(spec.Shape[^1] * 2.0 * config.Layers),
            Initialization.Embedding => 0.1,
            _ => 0,
        };
        if (deviation == 0) return full(spec.Shape, spec.Initialization == Initialization.One ? 1 : 0, dtype, device);
        var values = new float[spec.Elements];
        stream.Normal(values, deviation);
        // Held until the copy is made: a tensor that nothing refers to may be finalized while LibTorch still reads it.
        using var drawn = tensor(values, spec.Shape);
        return drawn.to(dtype, device);
    }
}
