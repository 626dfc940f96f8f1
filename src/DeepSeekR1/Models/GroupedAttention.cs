using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>Self-attention with rotary positions and grouped key-value heads (Ainslie et al. 2023, "GQA").</summary>
internal sealed class GroupedAttention : IAttention
{
    private readonly Linear _query, _key, _value, _output;
    private readonly RmsNorm? _queryNorm, _keyNorm;
    private readonly int _heads, _keyValueHeads, _headDim, _layer;
    private readonly double _scale;

    public GroupedAttention(ModelConfig config, ModelParameters parameters, string prefix, int layer)
    {
        _query = parameters.Linear(prefix + "q_proj");
        _key = parameters.Linear(prefix + "k_proj");
        _value = parameters.Linear(prefix + "v_proj");
        _output = parameters.Linear(prefix + "o_proj");
        if (config.QueryKeyNorm)
        {
            _queryNorm = parameters.Norm(prefix + "q_norm", config.RmsNormEpsilon);
            _keyNorm = parameters.Norm(prefix + "k_norm", config.RmsNormEpsilon);
        }
        (_heads, _keyValueHeads, _headDim, _layer) = (config.Heads, config.KeyValueHeads, config.HeadDim, layer);
        _scale = 1 / Math.Sqrt(config.HeadDim);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor x, AttentionMask mask, ForwardContext context)
    {
        long batch = x.shape[0], sequence = x.shape[1];
        var projected = Linear.ForwardAll(x, _query, _key, _value);
        var query = Heads(projected[0], _heads, _queryNorm, context.Rotation);
        var key = Heads(projected[1], _keyValueHeads, _keyNorm, context.Rotation);
        var value = projected[2].view(batch, sequence, _keyValueHeads, _headDim).transpose(1, 2);
        if (context.Cache is { } cache) (key, value) = (cache.Append(_layer, 0, key), cache.Append(_layer, 1, value));
        var attended = Kernels.Attention(query, key, value, mask, _scale);
        return _output.Forward(attended.transpose(1, 2).reshape(batch, sequence, _heads * _headDim));
    }

    /// <summary>[batch, sequence, heads * width], normed and turned, as [batch, heads, sequence, width].</summary>
    private Tensor Heads(Tensor x, int heads, RmsNorm? norm, Rotation rotation)
    {
        x = x.view(x.shape[0], x.shape[1], heads, _headDim);
        if (norm is not null) x = norm.Forward(x);
        return rotation.Apply(x).transpose(1, 2);
    }
}
