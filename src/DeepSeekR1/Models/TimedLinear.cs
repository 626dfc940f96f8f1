using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>A projection whose products are timed, forward and backward; the same products as LibTorch's own gradient takes.</summary>
internal sealed class TimedLinear : autograd.SingleTensorFunction<TimedLinear>
{
    private const string HasBiasKey = "hasBias";

    /// <inheritdoc/>
    public override string Name => nameof(TimedLinear);

    /// <summary>x [..., inputs], weight [outputs, inputs], bias [outputs] or null.</summary>
    public static Tensor Of(Tensor x, Tensor weight, Tensor? bias) => is_grad_enabled() && (x.requires_grad || weight.requires_grad) ? apply(x, weight, bias!) : Multiply(x, weight, bias);

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, weight, bias) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor?)vars[2]);
        ctx.save_for_backward([x, weight]);
        ctx.save_data(HasBiasKey, bias is not null);
        return Multiply(x, weight, bias);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var (x, weight) = (saved[0], saved[1]);
        var dy = grad_output.reshape(-1, weight.shape[0]);
        long start = OperationClock.Start();
        var dx = x.requires_grad ? dy.mm(weight).view(x.shape) : null;
        var dWeight = weight.requires_grad ? dy.t().mm(x.reshape(-1, weight.shape[1])) : null;
        OperationClock.Stop(Operation.Products, start);
        var dBias = (bool)ctx.get_data(HasBiasKey) ? dy.sum([0]) : null;
        GC.KeepAlive(grad_output);
        return [dx?.MoveToOuterDisposeScope()!, dWeight?.MoveToOuterDisposeScope()!, dBias?.MoveToOuterDisposeScope()!];
    }

    private static Tensor Multiply(Tensor x, Tensor weight, Tensor? bias)
    {
        long start = OperationClock.Start();
        var y = nn.functional.linear(x, weight, bias);
        OperationClock.Stop(Operation.Products, start);
        return y;
    }
}
