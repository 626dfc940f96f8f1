using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>
/// Projections of one input for autograd, with the products that LibTorch's own gradient takes. They are timed while a profile is made, and
/// gradients of the input are summed by the products themselves instead of in passes over memory of their own.
/// </summary>
internal sealed class ProjectionFunction : autograd.MultiTensorFunction<ProjectionFunction>
{
    private const string BiasesLearnKey = "biasesLearn";

    /// <inheritdoc/>
    public override string Name => nameof(ProjectionFunction);

    /// <summary>[..., outputs] of each projection.</summary>
    /// <param name="x">[..., inputs].</param>
    /// <param name="projections">Their weights and biases alone, not what an adapter adds.</param>
    public static IReadOnlyList<Tensor> Of(Tensor x, params ReadOnlySpan<Linear> projections)
    {
        var operands = new object?[1 + 2 * projections.Length];
        operands[0] = x;
        bool isRecorded = x.requires_grad;
        for (int i = 0; i < projections.Length; i++)
        {
            (operands[1 + 2 * i], operands[2 + 2 * i]) = (projections[i].BaseWeight, projections[i].Bias);
            isRecorded |= projections[i].BaseWeight.requires_grad;
        }
        return isRecorded && is_grad_enabled() ? apply(operands!) : Multiply(operands);
    }

    /// <inheritdoc/>
    public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
    {
        ctx.save_for_backward([(Tensor)vars[0], .. Enumerable.Range(0, vars.Length / 2).Select(i => (Tensor)vars[1 + 2 * i])]);
        ctx.save_data(BiasesLearnKey, Enumerable.Range(0, vars.Length / 2).Select(i => vars[2 + 2 * i] is Tensor { requires_grad: true }).ToArray());
        return Multiply(vars);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
    {
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        bool[] biasesLearn = (bool[])ctx.get_data(BiasesLearnKey);
        var x = saved[0];
        var rows = x.reshape(-1, x.shape[^1]);
        Tensor? dx = null;
        var gradients = new Tensor?[1 + 2 * biasesLearn.Length];
        for (int i = 0; i < biasesLearn.Length; i++)
        {
            var weight = saved[1 + i];
            var dy = grad_outputs[i].reshape(-1, weight.shape[0]);
            long start = OperationClock.Start();
            if (x.requires_grad) dx = dx is null ? dy.mm(weight) : dx.addmm_(dy, weight);
            if (weight.requires_grad) gradients[1 + 2 * i] = dy.t().mm(rows);
            OperationClock.Stop(Operation.Products, start);
            if (biasesLearn[i]) gradients[2 + 2 * i] = dy.sum([0]);
        }
        gradients[0] = dx?.view(x.shape);
        GC.KeepAlive(grad_outputs);
        return [.. gradients.Select(gradient => gradient?.MoveToOuterDisposeScope()!)];
    }

    private static List<Tensor> Multiply(object?[] operands)
    {
        long start = OperationClock.Start();
        List<Tensor> results = [.. Enumerable.Range(0, operands.Length / 2).Select(i => nn.functional.linear((Tensor)operands[0]!, (Tensor)operands[1 + 2 * i]!, (Tensor?)operands[2 + 2 * i]))];
        OperationClock.Stop(Operation.Products, start);
        return results;
    }
}
