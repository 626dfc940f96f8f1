using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>
/// Operators of LibTorch that TorchSharp does not wrap, reached through TorchScript; autograd sees through them. Arguments are
/// checked by the callers: an error inside a script is not catchable in every build of LibTorch.
/// </summary>
internal static class Kernels
{
    private static readonly jit.CompilationUnit Script = jit.compile("""
        def rms_norm(x, weight, epsilon: float):
            return torch.rms_norm(x, weight.shape, weight, epsilon)

        def causal_attention(query, key, value):
            return torch.scaled_dot_product_attention(query, key, value, None, 0.0, True, scale=None, enable_gqa=True)

        def masked_attention(query, key, value, mask):
            return torch.scaled_dot_product_attention(query, key, value, mask, 0.0, False, scale=None, enable_gqa=True)

        def full_attention(query, key, value):
            return torch.scaled_dot_product_attention(query, key, value, None, 0.0, False, scale=None, enable_gqa=True)

        """);

    /// <summary>x / sqrt(mean(x²) + epsilon) * weight over the last dimension; the mean in float32 whatever the dtype.</summary>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double epsilon) => (Tensor)Script.invoke("rms_norm", x, weight, epsilon);

    /// <summary>
    /// Scaled dot-product attention of [batch, heads, query, width] over [batch, key-value heads, key, width]; heads are a multiple
    /// of key-value heads.
    /// </summary>
    public static Tensor Attention(Tensor query, Tensor key, Tensor value, AttentionMask mask) => mask.Kind switch
    {
        AttentionMaskKind.Causal => (Tensor)Script.invoke("causal_attention", query, key, value),
        AttentionMaskKind.Everything => (Tensor)Script.invoke("full_attention", query, key, value),
        _ => (Tensor)Script.invoke("masked_attention", query, key, value, mask.Additive!),
    };
}
