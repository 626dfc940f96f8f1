using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Benchmarks.Training;

/// <summary>
/// A Llama as transformers runs it in PyTorch's eager mode, operator by operator on LibTorch: norms in float32 and back, rotation by halves,
/// SDPA with grouped heads, a cache that is concatenated at every token. Nothing of the library computes here.
/// <para>
/// Where products have another precision than weights, this is torch.autocast: the operands of a linear layer and of SDPA are converted at
/// every call (aten/src/ATen/autocast_mode.cpp: both are on the CPU's list of lower precision), everything else is computed in what its
/// operands promote to, and logits are widened at the end, as accelerate's convert_outputs_to_fp32 does.
/// </para>
/// </summary>
internal sealed class EagerLlama
{
    private static readonly TorchScript _script = new("""
        def embedding(weight, ids):
            return torch.embedding(weight, ids)

        def causal(query, key, value, scale: float):
            return torch.scaled_dot_product_attention(query, key, value, None, 0.0, True, scale=scale, enable_gqa=True)

        def full(query, key, value, scale: float):
            return torch.scaled_dot_product_attention(query, key, value, None, 0.0, False, scale=scale, enable_gqa=True)

        def adamw(weights: List[Tensor], gradients: List[Tensor], means: List[Tensor], squares: List[Tensor], steps: List[Tensor], lr: float):
            torch._fused_adamw_(weights, gradients, means, squares, [], steps, lr=lr, beta1=0.9, beta2=0.999, weight_decay=0.01, eps=1e-8, amsgrad=False, maximize=False)
            return weights[0]

        """);

    private readonly ModelConfig _config;
    private readonly ScalarType _products;
    private readonly Tensor _embedding, _finalNorm, _frequencies;
    private readonly Layer[] _layers;
    private readonly Tensor[] _parameters, _means, _squares, _steps;
    private int _step;

    private sealed record Layer(Tensor Norm, Tensor Query, Tensor Key, Tensor Value, Tensor Output, Tensor MlpNorm, Tensor Gate, Tensor Up, Tensor Down);

    public EagerLlama(ModelConfig config, ScalarType weights, ScalarType products)
    {
        (_config, _products) = (config, products);
        var parameters = new List<Tensor>();
        Tensor Add(Tensor weight)
        {
            parameters.Add(weight.to(weights).detach().requires_grad_());
            return parameters[^1];
        }
        Tensor Matrix(long outputs, long inputs) => Add(randn(outputs, inputs) / Math.Sqrt(inputs));
        long hidden = config.HiddenSize, narrow = config.KeyValueHeads * config.HeadDim;
        _embedding = Add(randn(config.VocabularySize, hidden) * 0.1);
        _layers = [.. Enumerable.Range(0, config.Layers).Select(_ => new Layer(Add(ones(hidden)),
            Matrix(hidden, hidden), Matrix(narrow, hidden), Matrix(narrow, hidden), Matrix(hidden, hidden), Add(ones(hidden)),
            Matrix(config.IntermediateSize, hidden), Matrix(config.IntermediateSize, hidden), Matrix(hidden, config.IntermediateSize)))];
        _finalNorm = Add(ones(hidden));
        _frequencies = pow(tensor((float)config.RopeTheta), arange(0, config.HeadDim, 2, ScalarType.Float32) / -(double)config.HeadDim);
        _parameters = [.. parameters];
        (_means, _squares) = ([.. parameters.Select(weight => zeros_like(weight))], [.. parameters.Select(weight => zeros_like(weight))]);
        _steps = [.. parameters.Select(_ => zeros(1))];
    }

    /// <summary>Logits of the last <paramref name="keep"/> positions.</summary>
    /// <param name="ids">[batch, sequence].</param>
    /// <param name="keep">transformers' logits_to_keep.</param>
    /// <param name="cache">Keys and values by layer, which are taken up and replaced.</param>
    /// <returns>[batch, keep, vocabulary].</returns>
    public Tensor Logits(Tensor ids, long keep, Tensor?[]? cache = null)
    {
        long past = cache?[0]?.shape[2] ?? 0, sequence = ids.shape[1];
        var angles = Angles(past, sequence);
        var x = _script.Invoke("embedding", _embedding, ids);
        for (int i = 0; i < _layers.Length; i++)
        {
            // As in Python: what no gradient needs goes when its layer ends.
            using var scope = NewDisposeScope();
            x = Forward(i, x, angles, cache).MoveToOuterDisposeScope();
        }
        return Head(x, keep);
    }

    /// <summary>
    /// Forward and backward pass with torch.utils.checkpoint on every layer, which is TRL's default: a layer keeps its input only, and is
    /// computed again when its gradient is due, up to the last of what it needs (the operands of its last product).
    /// </summary>
    /// <param name="ids">[batch, sequence].</param>
    /// <param name="keep">transformers' logits_to_keep.</param>
    /// <param name="loss">Logits [batch, keep, vocabulary] → scalar.</param>
    public void BackwardCheckpointed(Tensor ids, long keep, Func<Tensor, Tensor> loss)
    {
        var angles = Angles(0, ids.shape[1]);
        var embedded = _script.Invoke("embedding", _embedding, ids);
        var inputs = new Tensor[_layers.Length + 1];
        inputs[0] = embedded.detach();
        for (int i = 0; i < _layers.Length; i++)
        {
            using var frozen = no_grad();
            using var scope = NewDisposeScope();
            inputs[i + 1] = Forward(i, inputs[i], angles, cache: null).MoveToOuterDisposeScope();
        }
        var last = inputs[^1].requires_grad_();
        loss(Head(last, keep)).backward();
        var gradient = last.grad!;
        for (int i = _layers.Length - 1; i >= 0; i--)
        {
            using var scope = NewDisposeScope();
            var input = inputs[i].requires_grad_();
            var (stream, gated) = Gated(i, input, angles, cache: null);
            autograd.backward([stream, gated], [gradient, DownBackward(_layers[i].Down, gradient.to(_products), gated.detach())]);
            gradient = input.grad!.MoveToOuterDisposeScope();
        }
        embedded.backward([gradient]);
    }

    /// <summary>The gradient of the last product's input, from that of its result; adds that of its weight.</summary>
    private Tensor DownBackward(Tensor weight, Tensor gradient, Tensor input)
    {
        using var frozen = no_grad();
        var dWeight = gradient.view(-1, gradient.shape[2]).t().mm(input.view(-1, input.shape[2])).to(weight.dtype);
        if (weight.grad is { } sum) sum.add_(dWeight);
        else weight.grad = dWeight;
        return gradient.matmul(weight.to(_products));
    }

    private Tensor Head(Tensor x, long keep)
    {
        var logits = Linear(Norm(x, _finalNorm).narrow(1, x.shape[1] - keep, keep), _embedding);
        return _products == _embedding.dtype ? logits : logits.to(ScalarType.Float32);
    }

    private Tensor Linear(Tensor x, Tensor weight) => nn.functional.linear(x.to(_products), weight.to(_products));

    private (Tensor Cos, Tensor Sin) Angles(long past, long sequence)
    {
        var angles = arange(past, past + sequence, ScalarType.Float32).unsqueeze(1) * _frequencies;
        angles = cat([angles, angles], -1).view(1, 1, sequence, _config.HeadDim);
        return (angles.cos().to(_embedding.dtype), angles.sin().to(_embedding.dtype));
    }

    private Tensor Forward(int index, Tensor x, (Tensor Cos, Tensor Sin) angles, Tensor?[]? cache)
    {
        (x, var gated) = Gated(index, x, angles, cache);
        return x + Linear(gated, _layers[index].Down);
    }

    /// <summary>A layer up to its last product: the residual stream, and what is to be multiplied.</summary>
    private (Tensor Stream, Tensor Gated) Gated(int index, Tensor x, (Tensor Cos, Tensor Sin) angles, Tensor?[]? cache)
    {
        long batch = x.shape[0], sequence = x.shape[1];
        var layer = _layers[index];
        var normed = Norm(x, layer.Norm);
        var (query, key, value) = (Turn(Heads(layer.Query, _config.Heads)), Turn(Heads(layer.Key, _config.KeyValueHeads)), Heads(layer.Value, _config.KeyValueHeads));
        if (cache is not null)
        {
            if (cache[2 * index] is { } keys) (key, value) = (cat([keys, key], 2), cat([cache[2 * index + 1]!, value], 2));
            cache[2 * index]?.Dispose();
            cache[2 * index + 1]?.Dispose();
            (cache[2 * index], cache[2 * index + 1]) = (key.DetachFromDisposeScope(), value.DetachFromDisposeScope());
        }
        var mixed = _script.Invoke(sequence > 1 ? "causal" : "full", query.to(_products), key.to(_products), value.to(_products), 1 / Math.Sqrt(_config.HeadDim));
        x = x + Linear(mixed.transpose(1, 2).contiguous().view(batch, sequence, -1), layer.Output);
        normed = Norm(x, layer.MlpNorm);
        return (x, nn.functional.silu(Linear(normed, layer.Gate)) * Linear(normed, layer.Up));

        Tensor Heads(Tensor weight, int heads) => Linear(normed, weight).view(batch, sequence, heads, _config.HeadDim).transpose(1, 2);

        Tensor Turn(Tensor heads)
        {
            var halves = heads.chunk(2, -1);
            return heads * angles.Cos + cat([-halves[1], halves[0]], -1) * angles.Sin;
        }
    }

    /// <summary>torch.nn.utils.clip_grad_norm_, torch.optim.AdamW(fused=True), zero_grad.</summary>
    public void Step(double learningRate)
    {
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        Tensor[] gradients = [.. _parameters.Select(parameter => parameter.grad!)];
        var norm = stack([.. gradients.Select(gradient => gradient.norm())]).norm();
        var factor = (1.0 / (norm + 1e-6)).clamp_max(1);
        foreach (var gradient in gradients) gradient.mul_(factor);
        _step++;
        foreach (var step in _steps) step.fill_(_step);
        _script.Invoke("adamw", _parameters, gradients, _means, _squares, _steps, learningRate);
        foreach (var parameter in _parameters) parameter.grad = null;
    }

    private Tensor Norm(Tensor x, Tensor weight)
    {
        var wide = x.to(ScalarType.Float32);
        wide = wide * rsqrt(wide.pow(2).mean([-1], keepdim: true) + _config.RmsNormEpsilon);
        return weight * wide.to(x.dtype);
    }
}
