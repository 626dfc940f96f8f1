using static TorchSharp.torch;

namespace DeepSeekR1.Models.Cpu;

/// <summary>
/// A residual stream and its norm for autograd: one pass over memory adds to the stream and norms it, and one sums the gradients that come
/// back by both ways.
/// </summary>
internal sealed unsafe class ResidualNormFunction : autograd.MultiTensorFunction<ResidualNormFunction>
{
    private const string EpsilonKey = "epsilon";
    private const string HasUpdateKey = "hasUpdate";

    /// <inheritdoc/>
    public override string Name => nameof(ResidualNormFunction);

    /// <summary>x + update, or x where there is none, and its norm; x and update [..., width], weight [width].</summary>
    public static (Tensor Stream, Tensor Normed) Of(Tensor x, Tensor? update, Tensor weight, double epsilon)
    {
        (x, update) = (x.contiguous(), update?.contiguous());
        bool isRecorded = update is null ? CpuTensors.Record(x, weight) : CpuTensors.Record(x, update, weight);
        if (!isRecorded) return Compute(x, update, weight, epsilon);
        var results = apply(x, update!, weight, epsilon);
        return (results[0], results[1]);
    }

    /// <inheritdoc/>
    public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, update, weight, epsilon) = ((Tensor)vars[0], (Tensor?)vars[1], (Tensor)vars[2], (double)vars[3]);
        var (stream, normed) = Compute(x, update, weight, epsilon);
        // The same memory under another name: an output that its own node keeps would never be freed.
        ctx.save_for_backward([stream.detach(), weight]);
        ctx.save_data(EpsilonKey, epsilon);
        ctx.save_data(HasUpdateKey, update is not null);
        return [stream, normed];
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
    {
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var (dStream, dWeight) = RmsNormFunction.Gradient(saved[0], saved[1], grad_outputs[1], grad_outputs[0], (double)ctx.get_data(EpsilonKey));
        GC.KeepAlive(grad_outputs);
        dStream.MoveToOuterDisposeScope();
        return [dStream, (bool)ctx.get_data(HasUpdateKey) ? dStream : null!, dWeight?.MoveToOuterDisposeScope()!, null!];
    }

    private static (Tensor Stream, Tensor Normed) Compute(Tensor x, Tensor? update, Tensor weight, double epsilon)
    {
        if (update is null) return (x.alias(), RmsNormFunction.Compute(x, weight, epsilon));
        var (sum, normed) = (empty_like(x), empty_like(x));
        long width = x.shape[^1];
        if (x.dtype == ScalarType.BFloat16) AddAndNorm<Bfloat16Lane>();
        else AddAndNorm<SingleLane>();
        return (sum, normed);

        void AddAndNorm<T>() where T : unmanaged, ILane<T> => RowKernels<T>.AddAndNorm(
            CpuTensors.Pointer<T>(x), CpuTensors.Pointer<T>(update), CpuTensors.Pointer<T>(sum), CpuTensors.Pointer<T>(weight), CpuTensors.Pointer<T>(normed),
            x.numel() / width, (int)width, (float)epsilon);
    }
}
