using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>What every layer of one forward pass shares.</summary>
internal readonly record struct ForwardContext(Rotation Rotation, AttentionMask Mask, KvCache? Cache);

/// <summary>One pre-norm decoder layer: x + attention(norm(x)), then x + mlp(norm(x)).</summary>
internal sealed class DecoderLayer
{
    private readonly RmsNorm _inputNorm, _postAttentionNorm;
    private readonly Attention _attention;
    private readonly Mlp _mlp;

    public DecoderLayer(ModelConfig config, IReadOnlyDictionary<string, Parameter> parameters, int index)
    {
        string prefix = ParameterLayout.Layer(index);
        _inputNorm = new(parameters[prefix + "input_layernorm.weight"], config.RmsNormEpsilon);
        _attention = new(config, parameters, prefix + "self_attn.", index);
        _postAttentionNorm = new(parameters[prefix + "post_attention_layernorm.weight"], config.RmsNormEpsilon);
        _mlp = new(parameters, prefix + "mlp.");
    }

    /// <summary>[batch, sequence, hidden] to the same. Intermediates die with the call; autograd keeps what it needs.</summary>
    public Tensor Forward(Tensor x, ForwardContext context)
    {
        using var scope = NewDisposeScope();
        x = x + _attention.Forward(_inputNorm.Forward(x), context);
        x = x + _mlp.Forward(_postAttentionNorm.Forward(x));
        return x.MoveToOuterDisposeScope();
    }
}
