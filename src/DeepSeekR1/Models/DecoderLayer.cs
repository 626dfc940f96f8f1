using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>What every layer of one forward pass shares.</summary>
/// <param name="Rotation">Cosines and sines of the positions.</param>
/// <param name="FullMask">For layers that look back to the beginning.</param>
/// <param name="SlidingMask">For layers with a window.</param>
/// <param name="Cache">Keys and values of the tokens before.</param>
internal readonly record struct ForwardContext(Rotation Rotation, AttentionMask FullMask, AttentionMask SlidingMask, KvCache? Cache)
{
    /// <summary>The tensors in it, in an order that <see cref="With"/> knows.</summary>
    public IEnumerable<Tensor> Tensors() => new[] { Rotation.Cos, Rotation.SignedSin, FullMask.Additive, SlidingMask.Additive }.OfType<Tensor>();

    /// <summary>The same with other tensors in the places of <see cref="Tensors"/>.</summary>
    public ForwardContext With(IReadOnlyList<Tensor> tensors)
    {
        int next = 2;
        return this with
        {
            Rotation = new Rotation(tensors[0], tensors[1]),
            FullMask = FullMask with { Additive = FullMask.Additive is null ? null : tensors[next++] },
            SlidingMask = SlidingMask with { Additive = SlidingMask.Additive is null ? null : tensors[next] },
        };
    }
}

/// <summary>Mixes tokens: grouped heads or a latent.</summary>
internal interface IAttention
{
    /// <summary>[batch, sequence, hidden] to the same.</summary>
    Tensor Forward(Tensor x, AttentionMask mask, ForwardContext context);
}

/// <summary>Works on each token alone: one gated block or a mixture of experts.</summary>
internal interface IFeedForward
{
    /// <summary>[batch, sequence, hidden] to the same.</summary>
    Tensor Forward(Tensor x);
}

/// <summary>One pre-norm decoder layer: x + attention(norm(x)), then x + feed-forward(norm(x)).</summary>
internal sealed class DecoderLayer
{
    private readonly RmsNorm _attentionNorm, _feedForwardNorm;
    private readonly IAttention _attention;
    private readonly IFeedForward _feedForward;
    private readonly bool _isSliding;

    public DecoderLayer(ModelConfig config, ModelParameters parameters, int index)
    {
        string prefix = ParameterLayout.Layer(index);
        _attentionNorm = parameters.Norm(prefix + "input_layernorm", config.RmsNormEpsilon);
        _attention = config.LatentAttention is { } latent
            ? new LatentAttention(config, latent, parameters, prefix + "self_attn.", index)
            : new GroupedAttention(config, parameters, prefix + "self_attn.", index);
        _feedForwardNorm = parameters.Norm(prefix + "post_attention_layernorm", config.RmsNormEpsilon);
        _feedForward = config.ExpertsOf(index) is { } experts ? new ExpertsBlock(experts, parameters, prefix + "mlp.") : new Mlp(parameters, prefix + "mlp.");
        _isSliding = config.SlidingLayers.Contains(index);
    }

    /// <summary>[batch, sequence, hidden] to the same. Intermediates die with the call; autograd keeps what it needs.</summary>
    public Tensor Forward(Tensor x, ForwardContext context)
    {
        using var scope = NewDisposeScope();
        (x, var normed) = _attentionNorm.Forward(x, update: null);
        var mixed = _attention.Forward(normed, _isSliding ? context.SlidingMask : context.FullMask, context);
        (x, normed) = _feedForwardNorm.Forward(x, mixed);
        return Kernels.Add(x, _feedForward.Forward(normed)).MoveToOuterDisposeScope();
    }
}
