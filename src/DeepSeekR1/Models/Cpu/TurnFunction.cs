using static TorchSharp.torch;

namespace DeepSeekR1.Models.Cpu;

/// <summary>The rotation of positions for autograd; its gradient is the rotation back.</summary>
internal sealed unsafe class TurnFunction : autograd.SingleTensorFunction<TurnFunction>
{
    /// <inheritdoc/>
    public override string Name => nameof(TurnFunction);

    /// <summary>x [batch, sequence, heads, width]; cosine and signed sine [batch or 1, sequence, 1, width].</summary>
    public static Tensor Of(Tensor x, Tensor cos, Tensor signedSin)
    {
        x = x.contiguous();
        return CpuTensors.Record(x) ? apply(x, cos, signedSin) : Compute(x, cos, signedSin, 1);
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, cos, signedSin) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2]);
        ctx.save_for_backward([cos, signedSin]);
        return Compute(x, cos, signedSin, 1);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var dx = Compute(grad_output.contiguous(), saved[0], saved[1], -1);
        GC.KeepAlive(grad_output);
        return [dx.MoveToOuterDisposeScope(), null!, null!];
    }

    private static Tensor Compute(Tensor x, Tensor cos, Tensor signedSin, float sign)
    {
        var y = empty_like(x);
        if (x.dtype == ScalarType.BFloat16) Turn<Bfloat16Lane>();
        else Turn<SingleLane>();
        return y;

        void Turn<T>() where T : unmanaged, ILane<T> => RowKernels<T>.Turn(
            CpuTensors.Pointer<T>(x), CpuTensors.Pointer<T>(cos), CpuTensors.Pointer<T>(signedSin), CpuTensors.Pointer<T>(y),
            x.shape[0] * x.shape[1], cos.shape[0] * cos.shape[1], (int)x.shape[2], (int)x.shape[3], sign);
    }
}
