using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>The part of an update that all losses share: micro-batches, accumulation, and the step itself.</summary>
internal static class OptimizerStep
{
    /// <summary>Sums the gradient over all micro-batches and applies it once, unless there is none or it is not finite.</summary>
    /// <param name="sequences">The sequences of the step.</param>
    /// <param name="memory">How they are cut.</param>
    /// <param name="optimizer">Owner of the gradient.</param>
    /// <param name="model">The model that learns.</param>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="accumulate">Adds the gradient of one micro-batch and its metrics, <c>loss</c> among them.</param>
    /// <param name="clock">Books the optimizer.</param>
    public static UpdateReport Run(IReadOnlyList<IScoredSequence> sequences, MemoryBudget memory, IOptimizer optimizer, DecoderModel model, double learningRate,
        Action<MicroBatch, LossMetrics> accumulate, PhaseClock? clock = null)
    {
        var (metrics, tokens) = Gradient(sequences, memory, optimizer, model, accumulate);
        var report = Apply(metrics, tokens, optimizer, learningRate, memory);
        clock?.Mark("optimizer");
        return report;
    }

    /// <summary>Applies the gradient that the optimizer holds, unless there is none or it is not finite.</summary>
    /// <param name="metrics">Of the step, <c>loss</c> among them.</param>
    /// <param name="tokens">That entered the loss.</param>
    /// <param name="optimizer">Owner of the gradient.</param>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="memory">Whether it had to be halved.</param>
    public static UpdateReport Apply(LossMetrics metrics, int tokens, IOptimizer optimizer, double learningRate, MemoryBudget memory)
    {
        if (tokens == 0) return UpdateReport.Of(UpdateOutcome.NoSignal, 0, learningRate, 0, []);
        var results = metrics.Results();
        if (memory.Halvings > 0) results["memory/halvings"] = memory.Halvings;
        if (!double.IsFinite(results["loss"])) return UpdateReport.Of(UpdateOutcome.NotFinite, double.NaN, learningRate, tokens, results);
        double norm = optimizer.Step(learningRate);
        return UpdateReport.Of(double.IsFinite(norm) ? UpdateOutcome.Applied : UpdateOutcome.NotFinite, norm, learningRate, tokens, results);
    }

    /// <summary>The gradient alone, left in the optimizer.</summary>
    public static (LossMetrics Metrics, int Tokens) Gradient(IReadOnlyList<IScoredSequence> sequences, MemoryBudget memory, IOptimizer optimizer, DecoderModel model,
        Action<MicroBatch, LossMetrics> accumulate) => memory.Run(batching =>
    {
        var metrics = new LossMetrics();
        int tokens = 0;
        optimizer.ZeroGradient();
        foreach (var cut in batching.Cut(sequences, model))
        {
            using var scope = NewDisposeScope();
            using var batch = cut;
            accumulate(batch, metrics);
            optimizer.CollectGradient();
            tokens += (int)batch.Targets.numel();
        }
        return (metrics, tokens);
    });
}
