using System.ComponentModel;
using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>A text to be imitated.</summary>
public sealed record SftSample : IScoredSequence
{
    /// <summary>All ids.</summary>
    public required ReadOnlyMemory<int> Ids { get; init; }

    /// <summary>[ids] true where the token is to be learnt; the first token never is, since nothing predicts it.</summary>
    public required ReadOnlyMemory<bool> IsLabel { get; init; }

    int[] IScoredSequence.ScoredPositions()
    {
        var positions = new List<int>(Ids.Length);
        for (int i = 1; i < Ids.Length; i++)
            if (IsLabel.Span[i]) positions.Add(i);
        return [.. positions];
    }
}

/// <summary>What supervised fine-tuning minimises.</summary>
public enum SftLossKind
{
    /// <summary>-log p.</summary>
    NegativeLogLikelihood,
    /// <summary>-sg(p)·log p: what the model finds unlikely pulls less (dynamic fine-tuning, arXiv 2508.05629).</summary>
    Dft,
}

/// <summary>Settings of the supervised loss.</summary>
public sealed record SftLossConfig
{
    /// <summary>What is minimised.</summary>
    [Description("What is minimised: negative log-likelihood or dynamic fine-tuning.")]
    public SftLossKind Kind { get; init; } = SftLossKind.NegativeLogLikelihood;
}

/// <summary>
/// One optimizer step of supervised fine-tuning. The loss is the mean over the labels of the whole step, however it is cut.
/// </summary>
/// <param name="policy">The model that learns.</param>
/// <param name="optimizer">Of the policy's parameters.</param>
/// <param name="config">The loss.</param>
/// <param name="batching">How a step is cut for the machine.</param>
public sealed class SftUpdate(CausalLM policy, IOptimizer optimizer, SftLossConfig config, BatchConfig batching)
{
    private readonly MemoryBudget _memory = new(batching, policy.Device);
    private readonly TokenGradient _gradient = new(policy, temperature: 1, batching);

    /// <summary>Makes one step from all samples together.</summary>
    /// <exception cref="ArgumentException">A sample's mask has another length than its ids.</exception>
    public UpdateReport Step(IReadOnlyList<SftSample> samples, double learningRate) => Step(samples, learningRate, clock: null);

    /// <inheritdoc cref="Step(IReadOnlyList{SftSample}, double)"/>
    internal UpdateReport Step(IReadOnlyList<SftSample> samples, double learningRate, PhaseClock? clock)
    {
        int labels = CountLabels(samples);
        return OptimizerStep.Run(samples, _memory, optimizer, policy, learningRate, (batch, metrics) => Accumulate(batch, labels, metrics, clock), clock);
    }

    /// <summary>The gradient of the step, left in the optimizer and not applied.</summary>
    internal LossMetrics Gradient(IReadOnlyList<SftSample> samples)
    {
        int labels = CountLabels(samples);
        return OptimizerStep.Gradient(samples, _memory, optimizer, policy, (batch, metrics) => Accumulate(batch, labels, metrics)).Metrics;
    }

    private void Accumulate(MicroBatch batch, int labels, LossMetrics metrics, PhaseClock? clock = null) => _gradient.Accumulate(batch, (scores, logProbs, entropies) =>
    {
        var weighted = config.Kind == SftLossKind.Dft ? logProbs * logProbs.detach().exp() : logProbs;
        var loss = -weighted.sum() / labels;
        metrics.Sum("loss", loss);
        metrics.Mean("entropy", entropies.sum(), batch.Targets.numel());
        metrics.Mean("mean_token_accuracy", scores.IsMostLikely.to(ScalarType.Float32).sum(), batch.Targets.numel());
        metrics.Collect();
        return loss;
    }, clock: clock);

    private static int CountLabels(IReadOnlyList<SftSample> samples)
    {
        foreach (var sample in samples)
            if (sample.IsLabel.Length != sample.Ids.Length)
                throw new ArgumentException($"A label mask of {sample.IsLabel.Length} for {sample.Ids.Length} ids.", nameof(samples));
        return samples.Sum(sample => sample.Ids.IsEmpty ? 0 : sample.IsLabel.Span[1..].Count(true));
    }
}
