using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Models.Cpu;

/// <summary>Attention over packed sequences for autograd.</summary>
internal sealed class AttentionFunction : autograd.SingleTensorFunction<AttentionFunction>
{
    private const string ShapeKey = "shape";

    private sealed record Shape(TokenSpans Spans, int? Window, double Scale);

    /// <inheritdoc/>
    public override string Name => nameof(AttentionFunction);

    /// <summary>As <see cref="Kernels.Attention"/>, with as many queries as keys, whose sequences are those of <paramref name="spans"/>.</summary>
    public static Tensor Of(Tensor query, Tensor key, Tensor value, TokenSpans spans, int? window, double scale)
    {
        (query, key, value) = (HeadRows.Readable(query), HeadRows.Readable(key), HeadRows.Readable(value));
        var shape = new Shape(spans, window, scale);
        if (CpuTensors.Record(query, key, value)) return apply(query, key, value, shape);
        var (output, logSums) = Compute(query, key, value, shape);
        logSums.Dispose();
        return output;
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (query, key, value, shape) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2], (Shape)vars[3]);
        var (output, logSums) = Compute(query, key, value, shape);
        ctx.save_for_backward([query, key, value, output, logSums]);
        ctx.save_data(ShapeKey, shape);
        return output;
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var (query, key, value, output, logSums) = (saved[0], saved[1], saved[2], saved[3], saved[4]);
        var shape = (Shape)ctx.get_data(ShapeKey);
        var dOutput = HeadRows.Readable(grad_output);
        var (dQuery, dKey, dValue) = (HeadRows.Empty(query, query.shape[3]), HeadRows.Empty(key, key.shape[3]), HeadRows.Empty(value, value.shape[3]));
        if (query.dtype == ScalarType.BFloat16) Gradient<Bfloat16Lane>();
        else Gradient<SingleLane>();
        GC.KeepAlive(grad_output);
        return [dQuery.MoveToOuterDisposeScope(), dKey.MoveToOuterDisposeScope(), dValue.MoveToOuterDisposeScope(), null!];

        void Gradient<T>() where T : unmanaged, ILane<T> => Kernel<T>(query, key, value, logSums, shape).Backward(
            HeadRows.Of(output), HeadRows.Of(dOutput), HeadRows.Of(dQuery), HeadRows.Of(dKey), HeadRows.Of(dValue));
    }

    private static (Tensor Output, Tensor LogSums) Compute(Tensor query, Tensor key, Tensor value, Shape shape)
    {
        var output = HeadRows.Empty(query, value.shape[3]);
        var logSums = empty(query.shape[0] * query.shape[2], query.shape[1], dtype: ScalarType.Float32);
        if (query.dtype == ScalarType.BFloat16) Kernel<Bfloat16Lane>(query, key, value, logSums, shape).Forward(HeadRows.Of(output));
        else Kernel<SingleLane>(query, key, value, logSums, shape).Forward(HeadRows.Of(output));
        return (output, logSums);
    }

    private static AttentionKernel<T> Kernel<T>(Tensor query, Tensor key, Tensor value, Tensor logSums, Shape shape) where T : unmanaged, ILane<T>
    {
        var operands = new AttentionOperands(shape.Spans, shape.Window, (float)shape.Scale, HeadRows.Of(query), HeadRows.Of(key), HeadRows.Of(value), CpuTensors.Address(logSums));
        return NativeProduct.IsSupported && typeof(T) == typeof(Bfloat16Lane) ? (AttentionKernel<T>)(object)new Bfloat16Attention(operands) : new VectorAttention<T>(operands);
    }
}
