using static TorchSharp.torch;

namespace DeepSeekR1.Models.Cpu;

/// <summary>silu(gate) * up for autograd.</summary>
internal sealed unsafe class SwiGluFunction : autograd.SingleTensorFunction<SwiGluFunction>
{
    /// <inheritdoc/>
    public override string Name => nameof(SwiGluFunction);

    /// <summary>gate and up of the same shape.</summary>
    public static Tensor Of(Tensor gate, Tensor up)
    {
        (gate, up) = (gate.contiguous(), up.contiguous());
        return CpuTensors.Record(gate, up) ? apply(gate, up) : Compute(gate, up);
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (gate, up) = ((Tensor)vars[0], (Tensor)vars[1]);
        ctx.save_for_backward([gate, up]);
        return Compute(gate, up);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var (gate, up, dy) = (saved[0], saved[1], grad_output.contiguous());
        var (dGate, dUp) = (empty_like(gate), empty_like(up));
        if (gate.dtype == ScalarType.BFloat16) Gradient<Bfloat16Lane>();
        else Gradient<SingleLane>();
        GC.KeepAlive(grad_output);
        return [dGate.MoveToOuterDisposeScope(), dUp.MoveToOuterDisposeScope()];

        void Gradient<T>() where T : unmanaged, ILane<T> => RowKernels<T>.SwiGluGradient(
            CpuTensors.Pointer<T>(gate), CpuTensors.Pointer<T>(up), CpuTensors.Pointer<T>(dy), CpuTensors.Pointer<T>(dGate), CpuTensors.Pointer<T>(dUp), gate.numel());
    }

    private static Tensor Compute(Tensor gate, Tensor up)
    {
        var y = empty_like(gate);
        if (gate.dtype == ScalarType.BFloat16) Multiply<Bfloat16Lane>();
        else Multiply<SingleLane>();
        return y;

        void Multiply<T>() where T : unmanaged, ILane<T> =>
            RowKernels<T>.SwiGlu(CpuTensors.Pointer<T>(gate), CpuTensors.Pointer<T>(up), CpuTensors.Pointer<T>(y), gate.numel());
    }
}
