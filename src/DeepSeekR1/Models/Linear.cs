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
        var y = OperationClock.IsRunning ? ProjectionFunction.Of(x, this)[0] : nn.functional.linear(x, weight, bias);
        return Delta is null ? y : Kernels.Add(y, Delta.Forward(x));
    }

    /// <summary>What several projections make of one input.</summary>
    public static IReadOnlyList<Tensor> ForwardAll(Tensor x, params ReadOnlySpan<Linear> projections)
    {
        // In bfloat16 only: there a sum within the products rounds as often as one after them, in float32 the last bit would be another.
        bool areSummed = x.dtype == ScalarType.BFloat16 && is_grad_enabled();
        foreach (var projection in projections) areSummed &= projection.Delta is null;
        if (areSummed) return ProjectionFunction.Of(x, projections);
        var results = new Tensor[projections.Length];
        for (int i = 0; i < results.Length; i++) results[i] = projections[i].Forward(x);
        return results;
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
