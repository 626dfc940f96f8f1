using static TorchSharp.torch;

namespace DeepSeekR1.Models.Cpu;

/// <summary>The root-mean-square norm for autograd.</summary>
internal sealed unsafe class RmsNormFunction : autograd.SingleTensorFunction<RmsNormFunction>
{
    private const string EpsilonKey = "epsilon";

    /// <inheritdoc/>
    public override string Name => nameof(RmsNormFunction);

    /// <summary>x [..., width], weight [width].</summary>
    public static Tensor Of(Tensor x, Tensor weight, double epsilon)
    {
        x = x.contiguous();
        return CpuTensors.Record(x, weight) ? apply(x, weight, epsilon) : Compute(x, weight, epsilon);
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, weight, epsilon) = ((Tensor)vars[0], (Tensor)vars[1], (double)vars[2]);
        ctx.save_for_backward([x, weight]);
        ctx.save_data(EpsilonKey, epsilon);
        return Compute(x, weight, epsilon);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var (dx, dWeight) = Gradient(saved[0], saved[1], grad_output, elsewhere: null, (double)ctx.get_data(EpsilonKey));
        GC.KeepAlive(grad_output);
        return [dx.MoveToOuterDisposeScope(), dWeight?.MoveToOuterDisposeScope()!, null!];
    }

    /// <summary>Gradients of x, to which what comes from elsewhere is added, and of the weight where it asks for one.</summary>
    public static (Tensor X, Tensor? Weight) Gradient(Tensor x, Tensor weight, Tensor dy, Tensor? elsewhere, double epsilon)
    {
        using var scope = NewDisposeScope();
        (dy, elsewhere) = (dy.contiguous(), elsewhere?.contiguous());
        var dx = empty_like(x);
        var dWeight = weight.requires_grad ? empty_like(weight) : null;
        long width = x.shape[^1];
        if (x.dtype == ScalarType.BFloat16) Gradient<Bfloat16Lane>();
        else Gradient<SingleLane>();
        return (dx.MoveToOuterDisposeScope(), dWeight?.MoveToOuterDisposeScope());

        void Gradient<T>() where T : unmanaged, ILane<T> => RowKernels<T>.RmsNormGradient(
            CpuTensors.Pointer<T>(x), CpuTensors.Pointer<T>(weight), CpuTensors.Pointer<T>(dy), elsewhere is null ? null : CpuTensors.Pointer<T>(elsewhere), CpuTensors.Pointer<T>(dx),
            dWeight is null ? null : CpuTensors.Pointer<T>(dWeight), x.numel() / width, (int)width, (float)epsilon);
    }

    /// <summary>The norm, unseen by autograd.</summary>
    public static Tensor Compute(Tensor x, Tensor weight, double epsilon)
    {
        var y = empty_like(x);
        long width = x.shape[^1];
        if (x.dtype == ScalarType.BFloat16) Norm<Bfloat16Lane>();
        else Norm<SingleLane>();
        return y;

        void Norm<T>() where T : unmanaged, ILane<T> =>
            RowKernels<T>.RmsNorm(CpuTensors.Pointer<T>(x), CpuTensors.Pointer<T>(weight), CpuTensors.Pointer<T>(y), x.numel() / width, (int)width, (float)epsilon);
    }
}
