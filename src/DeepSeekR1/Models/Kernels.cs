using DeepSeekR1.Models.Cpu;
using DeepSeekR1.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>
/// What a layer computes between its matrix products: by kernels of our own for float32 and bfloat16 on the CPU, otherwise by operators of
/// LibTorch, reached through TorchScript where TorchSharp does not wrap them. Autograd knows both. Arguments are checked by the
/// callers: an error inside a script is not catchable in every build of LibTorch.
/// </summary>
internal static class Kernels
{
    /// <summary>
    /// Rows come in multiples of this where the CPU's bits are to depend neither on the number of threads nor on where operands lie in
    /// memory. Measured: products of fewer than 12 rows, or with fewer than 9 columns, take other ways through LibTorch; and what is left of
    /// a thread's share after whole vectors gets another sigmoid. With rows in sixteens the shares of up to 8 threads have no such rest.
    /// </summary>
    public const int StableRows = 16;

    private static readonly Scalar _one = 1;

    // The grammar wants a line break at the end.
    private static readonly TorchScript _script = new("""
        def rms_norm(x, weight, epsilon: float):
            return torch.rms_norm(x, weight.shape, weight, epsilon)

        def causal_attention(query, key, value, scale: float):
            return torch.scaled_dot_product_attention(query, key, value, None, 0.0, True, scale=scale, enable_gqa=True)

        def masked_attention(query, key, value, mask, scale: float):
            return torch.scaled_dot_product_attention(query, key, value, mask, 0.0, False, scale=scale, enable_gqa=True)

        def full_attention(query, key, value, scale: float):
            return torch.scaled_dot_product_attention(query, key, value, None, 0.0, False, scale=scale, enable_gqa=True)

        """);

    /// <summary>x / sqrt(mean(x²) + epsilon) * weight over the last dimension; the mean in float32 whatever the dtype.</summary>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double epsilon) =>
        CpuTensors.Take(x, weight) ? RmsNormFunction.Of(x, weight, epsilon) : _script.Invoke("rms_norm", x, weight, epsilon);

    /// <summary>x + update, or x where there is none, and its norm: <see cref="RmsNorm"/> of the residual stream, which goes on beside it.</summary>
    public static (Tensor Stream, Tensor Normed) ResidualNorm(Tensor x, Tensor? update, Tensor weight, double epsilon)
    {
        if (update is null ? CpuTensors.Take(x, weight) : CpuTensors.Take(x, update, weight)) return ResidualNormFunction.Of(x, update, weight, epsilon);
        var stream = update is null ? x : Add(x, update);
        return (stream, RmsNorm(stream, weight, epsilon));
    }

    /// <summary>silu(gate) * up (Shazeer 2020, "GLU Variants Improve Transformer").</summary>
    public static Tensor SwiGlu(Tensor gate, Tensor up) => CpuTensors.Take(gate, up) ? SwiGluFunction.Of(gate, up) : nn.functional.silu(gate) * up;

    /// <summary>x * cos + roll(x, width/2) * sine for x [batch, sequence, heads, width] and the others [batch or 1, sequence, 1, width].</summary>
    public static Tensor Turn(Tensor x, Tensor cos, Tensor signedSin) =>
        CpuTensors.Take(x, cos, signedSin) ? TurnFunction.Of(x, cos, signedSin) : (x * cos).addcmul_(x.roll(x.shape[^1] / 2, -1), signedSin, _one);

    /// <summary>
    /// x + y. The operator makes a new number for the factor of y at each call, which may be collected while LibTorch still reads it;
    /// this one is held.
    /// </summary>
    public static Tensor Add(Tensor x, Tensor y) => x.add(y, _one);

    /// <summary>The length to which so many sequences are padded, so that their tokens together are a multiple of <see cref="StableRows"/>.</summary>
    public static int StableLength(int sequences, int longest)
    {
        int step = StableRows;
        while (step > 1 && sequences * (step / 2) % StableRows == 0) step /= 2;
        return (longest + step - 1) / step * step;
    }

    /// <summary>[rows, width] with rows of zeros below, so that there are at least <see cref="StableRows"/>.</summary>
    public static Tensor PadRows(Tensor x) => x.shape[0] >= StableRows ? x : cat([x, zeros(StableRows - x.shape[0], x.shape[1], dtype: x.dtype, device: x.device)]);

    /// <summary>
    /// softmax(query · key * scale + mask) · value for query [batch, heads, query, width], key [batch, key-value heads, key, width] and
    /// value [batch, key-value heads, key, value width]; heads are a multiple of key-value heads.
    /// </summary>
    public static Tensor Attention(Tensor query, Tensor key, Tensor value, AttentionMask mask, double scale) => mask.Kind switch
    {
        AttentionMaskKind.Spans => AttentionFunction.Of(query, key, value, mask.Sequences!, mask.Window, scale),
        AttentionMaskKind.Causal when CpuTensors.Take(query) => AttentionFunction.Of(query, key, value, TokenSpans.Rows(query.shape[0], query.shape[2]), window: null, scale),
        AttentionMaskKind.Causal => _script.Invoke("causal_attention", query, key, value, scale),
        AttentionMaskKind.Everything => _script.Invoke("full_attention", query, key, value, scale),
        _ => _script.Invoke("masked_attention", query, key, value, mask.Additive!, scale),
    };

    /// <summary>Whether attention takes packed sequences as spans; otherwise it needs a mask of all against all.</summary>
    public static bool KnowSpans(ScalarType dtype, Device device) => device.type == DeviceType.CPU && dtype is ScalarType.Float32 or ScalarType.BFloat16;
}
