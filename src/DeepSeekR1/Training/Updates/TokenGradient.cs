using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// Forward and backward pass of one micro-batch. The body of the model runs under autograd, the head by hand and in chunks
/// (<see cref="TokenLogProbs"/>), the loss under autograd again, on one number a token.
/// </summary>
/// <param name="policy">The model that learns.</param>
/// <param name="temperature">Divides the logits.</param>
/// <param name="batching">Size of a chunk of logits.</param>
internal sealed class TokenGradient(CausalLM policy, double temperature, BatchConfig batching)
{
    private const string HeadName = "lm_head.weight", TiedHeadName = "model.embed_tokens.weight";

    private readonly Tensor _head = policy.Parameters.TryGetValue(HeadName, out var head) ? head : policy.Parameters[TiedHeadName];

    /// <summary>Adds the gradient of a micro-batch to the parameters'.</summary>
    /// <param name="batch">The micro-batch.</param>
    /// <param name="loss">The scores of its tokens, differentiable → scalar loss.</param>
    /// <param name="hasEntropyGradient">True where the loss depends on the entropies.</param>
    /// <param name="values">[token] log-probabilities that the loss is evaluated at; null: those of this forward pass.</param>
    /// <param name="clock">Books forward and backward.</param>
    public void Accumulate(MicroBatch batch, Func<TokenLogProbs, Tensor, Tensor, Tensor> loss, bool hasEntropyGradient = false, Tensor? values = null, PhaseClock? clock = null)
    {
        using var scope = NewDisposeScope();
        var hidden = Hidden(batch);
        using var scores = new TokenLogProbs(hidden, _head, batch.Targets, temperature, logitsPerChunk: batching.LogitsPerChunk);
        clock?.Mark("forward");
        var logProbs = (values ?? scores.LogProbs).detach().requires_grad_();
        var entropies = scores.Entropies.detach().requires_grad_(hasEntropyGradient);
        loss(scores, logProbs, entropies).backward();
        var dHidden = scores.Backward(logProbs.grad ?? zeros_like(logProbs), hasEntropyGradient ? entropies.grad : null, HeadGradient());
        hidden.backward([dHidden]);
        clock?.Mark("backward");
    }

    /// <summary>Log-probabilities and entropies of a micro-batch's scored tokens, without gradient.</summary>
    public TokenLogProbs Score(MicroBatch batch)
    {
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        return new TokenLogProbs(Hidden(batch), _head, batch.Targets, temperature, keepForBackward: false, batching.LogitsPerChunk);
    }

    /// <summary>[token, hidden] the states that predict the scored tokens.</summary>
    private Tensor Hidden(MicroBatch batch)
    {
        var hidden = batch.Spans is { } spans ? policy.Hidden(batch.Ids, batch.Positions!, spans) : policy.Hidden(batch.Ids, batch.Positions, batch.Mask);
        return hidden.view(-1, hidden.shape[^1]).index_select(0, batch.HiddenRows);
    }

    private Tensor? HeadGradient()
    {
        if (!_head.requires_grad) return null;
        if (_head.grad is null) _head.grad = zeros_like(_head);
        return _head.grad;
    }
}
