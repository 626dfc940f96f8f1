using DeepSeekR1.Models;
using DeepSeekR1.Models.Cpu;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// Log-probabilities and entropies of chosen tokens from hidden states and the head's weight, with their gradient by hand:
/// for p = softmax(logits / T), ∂ log p[id] / ∂ logit_j = (1[j = id] - p_j) / T and ∂ H / ∂ logit_j = -p_j (log p_j + H) / T.
/// Logits of the vocabulary never exist for more than a chunk of tokens, forward or backward; when there is but one chunk it is kept
/// for the backward pass, otherwise each is computed again.
/// </summary>
internal sealed class TokenLogProbs : IDisposable
{
    /// <summary>Logits that may exist at once: about 1,400 tokens at a vocabulary of 49,152, or 128 MiB in bfloat16.</summary>
    public const long DefaultLogitsPerChunk = 1 << 26;

    private readonly Tensor _hidden, _head, _targets;
    private readonly double _temperature;
    private readonly long _chunk;
    private readonly Tensor? _normalizers;
    private Tensor? _kept;

    /// <summary>The forward pass; records no autograd graph.</summary>
    /// <param name="hidden">[token, hidden]</param>
    /// <param name="head">[vocabulary, hidden]</param>
    /// <param name="targets">[token] int64, the ids that were drawn.</param>
    /// <param name="temperature">Divides the logits.</param>
    /// <param name="keepForBackward">False where no backward pass will follow.</param>
    /// <param name="logitsPerChunk">Most logits that may exist at once.</param>
    public TokenLogProbs(Tensor hidden, Tensor head, Tensor targets, double temperature, bool keepForBackward = true, long logitsPerChunk = DefaultLogitsPerChunk)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(temperature);
        if (hidden.dim() != 2 || head.dim() != 2 || hidden.shape[1] != head.shape[1] || targets.dim() != 1 || targets.shape[0] != hidden.shape[0])
            throw new ArgumentException($"hidden {Shape(hidden)}, head {Shape(head)} and targets {Shape(targets)} do not fit together.", nameof(hidden));
        (_hidden, _head, _targets, _temperature) = (hidden.detach(), head.detach(), targets, temperature);
        _chunk = Math.Max(1, logitsPerChunk / head.shape[0]);

        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        var (logProbs, entropies, isMostLikely, normalizers) = (new List<Tensor>(), new List<Tensor>(), new List<Tensor>(), new List<Tensor>());
        foreach (var (start, count) in Chunks())
        {
            using var chunk = NewDisposeScope();
            var logits = Logits(start, count);
            var (chosen, entropy, mostLikely, normalizer) = Score(logits, _targets.narrow(0, start, count));
            logProbs.Add(chosen.MoveToOuterDisposeScope());
            entropies.Add(entropy.MoveToOuterDisposeScope());
            isMostLikely.Add(mostLikely.MoveToOuterDisposeScope());
            if (normalizer is not null) normalizers.Add(normalizer.MoveToOuterDisposeScope());
            if (keepForBackward && count == _targets.shape[0]) _kept = logits.DetachFromDisposeScope();
        }
        Tensor Join(List<Tensor> parts, ScalarType dtype) => (parts.Count > 0 ? cat(parts) : empty(0, dtype: dtype, device: hidden.device)).DetachFromDisposeScope();
        LogProbs = Join(logProbs, StatisticsDtype);
        Entropies = Join(entropies, StatisticsDtype);
        IsMostLikely = Join(isMostLikely, ScalarType.Bool);
        if (normalizers.Count > 0) _normalizers = Join(normalizers, StatisticsDtype);
    }

    /// <summary>[token] log-probability of each target, single precision or better.</summary>
    public Tensor LogProbs { get; }

    /// <summary>[token] entropy of each distribution, in nats.</summary>
    public Tensor Entropies { get; }

    /// <summary>[token] bool, true where no other id is more likely than the target.</summary>
    public Tensor IsMostLikely { get; }

    /// <summary>Gradients of the inputs from those of the outputs.</summary>
    /// <param name="dLogProbs">[token]</param>
    /// <param name="dEntropies">[token]; null where the loss does not read entropies.</param>
    /// <param name="headGradient">[vocabulary, hidden] to which the head's gradient is added; null for a frozen head.</param>
    /// <returns>[token, hidden] gradient of the hidden states.</returns>
    public Tensor Backward(Tensor dLogProbs, Tensor? dEntropies, Tensor? headGradient)
    {
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        var dHidden = empty_like(_hidden);
        foreach (var (start, count) in Chunks())
        {
            using var chunk = NewDisposeScope();
            var dLogits = LogitGradient(start, count, dLogProbs, dEntropies);
            long started = OperationClock.Start();
            dHidden.narrow(0, start, count).copy_(Kernels.PadRows(dLogits).mm(_head).narrow(0, 0, count));
            headGradient?.addmm_(dLogits.t(), _hidden.narrow(0, start, count));
            OperationClock.Stop(Operation.Products, started);
        }
        // Their memory may hold the gradient now.
        _kept?.Dispose();
        _kept = null;
        return dHidden.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        LogProbs.Dispose();
        Entropies.Dispose();
        IsMostLikely.Dispose();
        _kept?.Dispose();
        _normalizers?.Dispose();
        _hidden.Dispose();
        _head.Dispose();
    }

    private ScalarType StatisticsDtype => _hidden.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;

    private (Tensor LogProbs, Tensor Entropies, Tensor IsMostLikely, Tensor? Normalizers) Score(Tensor logits, Tensor targets)
    {
        if (CpuTensors.Take(logits)) return LogitFunctions.Score(logits, targets, _temperature);
        var all = LogSoftmax(logits);
        var chosen = all.gather(1, targets.unsqueeze(1)).squeeze(1);
        return (chosen, all.exp().mul_(all).sum(1).neg_(), chosen.eq(all.amax([1])), null);
    }

    /// <summary>[token of the chunk, vocabulary] in the dtype of the logits.</summary>
    private Tensor LogitGradient(long start, long count, Tensor dLogProbs, Tensor? dEntropies)
    {
        Tensor Chunk(Tensor all) => all.narrow(0, start, count);
        var (logits, targets) = (_kept ?? Logits(start, count), Chunk(_targets));
        if (CpuTensors.Take(logits))
        {
            LogitFunctions.Gradient(logits, targets, _temperature, Chunk(LogProbs), Chunk(Entropies), Chunk(_normalizers!), Chunk(dLogProbs), dEntropies is null ? null : Chunk(dEntropies));
            return logits;
        }
        var logProbs = LogSoftmax(logits);
        var pull = (Chunk(dLogProbs) / _temperature).unsqueeze(1);
        var probabilities = logProbs.exp();
        Tensor dLogits;
        if (dEntropies is null)
        {
            dLogits = probabilities.mul_(-pull);
        }
        else
        {
            var entropyPull = (Chunk(dEntropies) / _temperature).unsqueeze(1);
            dLogits = (logProbs + Chunk(Entropies).unsqueeze(1)).mul_(entropyPull).add_(pull).mul_(probabilities).neg_();
        }
        return dLogits.scatter_add_(1, targets.unsqueeze(1), pull).to(logits.dtype);
    }

    private Tensor Logits(long start, long count)
    {
        long started = OperationClock.Start();
        var logits = nn.functional.linear(Kernels.PadRows(_hidden.narrow(0, start, count)), _head);
        OperationClock.Stop(Operation.Products, started);
        return logits.narrow(0, 0, count);
    }

    private Tensor LogSoftmax(Tensor logits)
    {
        using var scope = NewDisposeScope();
        var wide = logits.to(StatisticsDtype);
        if (_temperature != 1) wide = wide / _temperature;
        return nn.functional.log_softmax(wide, 1).MoveToOuterDisposeScope();
    }

    private IEnumerable<(long Start, long Count)> Chunks()
    {
        for (long start = 0; start < _targets.shape[0]; start += _chunk)
            yield return (start, Math.Min(_chunk, _targets.shape[0] - start));
    }

    private static string Shape(Tensor tensor) => $"[{string.Join(", ", tensor.shape)}]";
}
