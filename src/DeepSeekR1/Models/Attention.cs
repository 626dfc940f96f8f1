using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>Self-attention with rotary positions and grouped key-value heads (Ainslie et al. 2023, "GQA").</summary>
internal sealed class Attention
{
    private readonly Linear _query, _key, _value, _output;
    private readonly int _heads, _keyValueHeads, _headDim, _layer;

    public Attention(ModelConfig config, IReadOnlyDictionary<string, Parameter> parameters, string prefix, int layer)
    {
        _query = new(parameters, prefix + "q_proj");
        _key = new(parameters, prefix + "k_proj");
        _value = new(parameters, prefix + "v_proj");
        _output = new(parameters, prefix + "o_proj");
        (_heads, _keyValueHeads, _headDim, _layer) = (config.Heads, config.KeyValueHeads, config.HeadDim, layer);
    }

    /// <summary>[batch, sequence, hidden] to the same.</summary>
    public Tensor Forward(Tensor x, ForwardContext context)
    {
        long batch = x.shape[0], sequence = x.shape[1];
        var query = context.Rotation.Apply(_query.Forward(x).view(batch, sequence, _heads, _headDim)).transpose(1, 2);
        var key = context.Rotation.Apply(_key.Forward(x).view(batch, sequence, _keyValueHeads, _headDim)).transpose(1, 2);
        var value = _value.Forward(x).view(batch, sequence, _keyValueHeads, _headDim).transpose(1, 2);
        if (context.Cache is { } cache) (key, value) = cache.Append(_layer, key, value);
        var attended = Kernels.Attention(query, key, value, context.Mask);
        return _output.Forward(attended.transpose(1, 2).reshape(batch, sequence, _heads * _headDim));
    }
}
