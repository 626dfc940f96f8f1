using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>A decoder layer that keeps only its input and computes itself again in the backward pass.</summary>
internal sealed class RecomputedLayer : autograd.SingleTensorFunction<RecomputedLayer>
{
    private const string LayerKey = "layer";
    private const string ContextKey = "context";

    /// <inheritdoc/>
    public override string Name => nameof(RecomputedLayer);

    /// <summary>As <see cref="DecoderLayer.Forward"/>.</summary>
    public static Tensor Forward(DecoderLayer layer, Tensor x, ForwardContext context)
    {
        // With a frozen embedding nothing before the first adapter asks for a gradient, and the function would record none.
        if (!x.requires_grad) x = x.detach().requires_grad_();
        return apply(x, layer, context);
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, layer, context) = ((Tensor)vars[0], (DecoderLayer)vars[1], (ForwardContext)vars[2]);
        // The context's tensors must outlive the forward pass that made them; they go with the graph.
        ctx.save_for_backward([x, .. context.Tensors()]);
        ctx.save_data(LayerKey, layer);
        ctx.save_data(ContextKey, context);
        using var noGrad = no_grad();
        return layer.Forward(x, context);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        using var grad = enable_grad();
        var saved = ctx.get_saved_variables();
        var context = ((ForwardContext)ctx.get_data(ContextKey)).With([.. saved.Skip(1)]);
        var x = saved[0].detach().requires_grad_();
        autograd.backward([((DecoderLayer)ctx.get_data(LayerKey)).Forward(x, context)], [grad_output]);
        return [x.grad!.MoveToOuterDisposeScope(), null!, null!];
    }
}
