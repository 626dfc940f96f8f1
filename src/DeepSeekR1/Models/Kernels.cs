using DeepSeekR1.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>
/// Operators of LibTorch that TorchSharp does not wrap, reached through TorchScript; autograd sees through them. Arguments are
/// checked by the callers: an error inside a script is not catchable in every build of LibTorch.
/// </summary>
internal static class Kernels
{
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
    public static Tensor RmsNorm(Tensor x, Tensor weight, double epsilon) => _script.Invoke("rms_norm", x, weight, epsilon);

    /// <summary>
    /// x + y. The operator makes a new number for the factor of y at each call, which may be collected while LibTorch still reads it;
    /// this one is held.
    /// </summary>
    public static Tensor Add(Tensor x, Tensor y) => x.add(y, _one);

    /// <summary>
    /// softmax(query · key * scale + mask) · value for query [batch, heads, query, width], key [batch, key-value heads, key, width] and
    /// value [batch, key-value heads, key, value width]; heads are a multiple of key-value heads.
    /// </summary>
    public static Tensor Attention(Tensor query, Tensor key, Tensor value, AttentionMask mask, double scale) => mask.Kind switch
    {
        AttentionMaskKind.Causal => _script.Invoke("causal_attention", query, key, value, scale),
        AttentionMaskKind.Everything => _script.Invoke("full_attention", query, key, value, scale),
        _ => _script.Invoke("masked_attention", query, key, value, mask.Additive!, scale),
    };
}
