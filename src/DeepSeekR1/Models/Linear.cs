using DeepSeekR1.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>A projection: weight [outputs, inputs] and, where the model has one, bias [outputs].</summary>
internal sealed class Linear(Parameter weight, Parameter? bias)
{
    public Parameter BaseWeight => weight;

    public Parameter? Bias => bias;

    /// <summary>What an adapter adds; null without one, or while it is switched off or merged.</summary>
    public LoraDelta? Delta { get; set; }

    /// <summary>[..., inputs] to [..., outputs].</summary>
    public Tensor Forward(Tensor x)
    {
        var y = OperationClock.IsRunning ? TimedLinear.Of(x, weight, bias) : nn.functional.linear(x, weight, bias);
        return Delta is null ? y : Kernels.Add(y, Delta.Forward(x));
    }

    /// <summary>The matrix that <see cref="Forward"/> multiplies with, [outputs, inputs], for autograd.</summary>
    public Tensor Weight() => Delta is null ? weight : Kernels.Add(weight, Delta.Matrix());

    /// <summary>The same matrix as a number of the model's dtype, rounded once; without an adapter the parameter itself. Not for autograd.</summary>
    public Tensor MergedWeight()
    {
        if (Delta is null) return weight;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var sum = weight.to(ScalarType.Float32) + Delta.B.to(ScalarType.Float32).mm(Delta.A.to(ScalarType.Float32)) * Delta.Scale;
        return sum.to(weight.dtype).MoveToOuterDisposeScope();
    }
}
