using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>Two replies to the same prompt.</summary>
/// <param name="Chosen">Ids of prompt and better reply.</param>
/// <param name="Rejected">Ids of prompt and worse reply.</param>
/// <param name="Margin">By how much the better one should score higher.</param>
public sealed record PreferencePair(ReadOnlyMemory<int> Chosen, ReadOnlyMemory<int> Rejected, double Margin = 0);

/// <summary>A reply with a verdict.</summary>
/// <param name="Ids">Ids of prompt and reply.</param>
/// <param name="Label">1: good, 0: bad; between them: in doubt.</param>
public sealed record LabelledReply(ReadOnlyMemory<int> Ids, double Label);

/// <summary>
/// One optimizer step of a reward model: pairwise (Bradley and Terry 1952; arXiv 2203.02155 eq. 1: the mean of -log σ(chosen - rejected - margin), with
/// <paramref name="centering"/> times the mean of (chosen + rejected)² to keep scores around zero, arXiv 2312.09244 eq. 2) or pointwise (binary cross-entropy).
/// The gradient is the same however the step is cut into micro-batches.
/// </summary>
/// <param name="model">The reward model.</param>
/// <param name="optimizer">Of its parameters.</param>
/// <param name="batching">How a step is cut for the machine.</param>
/// <param name="centering">Weight of the centring term; 0: none.</param>
public sealed class RewardUpdate(SequenceClassifier model, IOptimizer optimizer, BatchConfig batching, double centering = 0)
{
    private readonly MemoryBudget _memory = new(batching, model.Device);

    /// <summary>One step on pairs.</summary>
    public UpdateReport Step(IReadOnlyList<PreferencePair> pairs, double learningRate)
    {
        var metrics = Gradient(pairs);
        return OptimizerStep.Apply(metrics, pairs.Sum(pair => pair.Chosen.Length + pair.Rejected.Length), optimizer, learningRate, _memory);
    }

    /// <summary>One step on replies with verdicts.</summary>
    public UpdateReport Step(IReadOnlyList<LabelledReply> replies, double learningRate)
    {
        var metrics = Gradient(replies, reply => reply.Ids.Length, rowsEach: 1, Accumulate);
        return OptimizerStep.Apply(metrics, replies.Sum(reply => reply.Ids.Length), optimizer, learningRate, _memory);
    }

    /// <summary>The gradient of a step on pairs, left in the optimizer and not applied.</summary>
    internal LossMetrics Gradient(IReadOnlyList<PreferencePair> pairs) =>
        Gradient(pairs, pair => Math.Max(pair.Chosen.Length, pair.Rejected.Length), rowsEach: 2, Accumulate);

    private LossMetrics Gradient<T>(IReadOnlyList<T> items, Func<T, int> lengthOf, int rowsEach, Action<IReadOnlyList<T>, int, LossMetrics> accumulate) => _memory.Run(cut =>
    {
        var metrics = new LossMetrics();
        optimizer.ZeroGradient();
        foreach (var batch in Cut(items, lengthOf, rowsEach, cut.TokensPerMicroBatch)) accumulate(batch, items.Count, metrics);
        return metrics;
    });

    private void Accumulate(IReadOnlyList<PreferencePair> pairs, int ofStep, LossMetrics metrics)
    {
        using var scope = NewDisposeScope();
        var scores = Score([.. pairs.Select(pair => pair.Chosen), .. pairs.Select(pair => pair.Rejected)]);
        var (chosen, rejected) = (scores.narrow(0, 0, pairs.Count), scores.narrow(0, pairs.Count, pairs.Count));
        var lead = chosen - rejected;
        var margin = tensor(pairs.Select(pair => (float)pair.Margin).ToArray(), device: model.Device);
        var loss = -nn.functional.logsigmoid(lead - margin).sum() / ofStep;
        if (centering > 0) loss = loss + (chosen + rejected).square().sum() * (centering / ofStep);

        metrics.Sum("loss", loss);
        metrics.Mean("accuracy", lead.gt(0).to(ScalarType.Float32).sum(), pairs.Count);
        metrics.Mean("margin", lead.sum(), pairs.Count);
        ObserveScores(metrics, scores);
        Backward(loss);
    }

    private void Accumulate(IReadOnlyList<LabelledReply> replies, int ofStep, LossMetrics metrics)
    {
        using var scope = NewDisposeScope();
        var scores = Score([.. replies.Select(reply => reply.Ids)]);
        var labels = tensor(replies.Select(reply => (float)reply.Label).ToArray(), device: model.Device);
        var loss = PointwiseLoss(scores, labels) / ofStep;

        metrics.Sum("loss", loss);
        metrics.Mean("accuracy", scores.gt(0).eq(labels.gt(0.5)).to(ScalarType.Float32).sum(), replies.Count);
        ObserveScores(metrics, scores);
        Backward(loss);
    }

    /// <summary>Binary cross-entropy of σ(score), summed.</summary>
    internal static Tensor PointwiseLoss(Tensor scores, Tensor labels) =>
        nn.functional.binary_cross_entropy_with_logits(scores, labels, reduction: nn.Reduction.Sum);

    private static void ObserveScores(LossMetrics metrics, Tensor scores)
    {
        metrics.Min("min_reward", scores.min());
        metrics.Mean("mean_reward", scores.sum(), scores.numel());
        metrics.Max("max_reward", scores.max());
        metrics.Collect();
    }

    private void Backward(Tensor loss)
    {
        loss.backward();
        optimizer.CollectGradient();
    }

    private Tensor Score(IReadOnlyList<ReadOnlyMemory<int>> sequences)
    {
        var (ids, lengths) = PaddedSequences.Of(sequences, model.Device);
        return model.Score(ids, lengths).to(ScalarType.Float32);
    }

    /// <summary>Items of like length together, as many as a micro-batch holds.</summary>
    private static IEnumerable<IReadOnlyList<T>> Cut<T>(IReadOnlyList<T> items, Func<T, int> lengthOf, int rowsEach, int tokenBudget)
    {
        var batch = new List<T>();
        foreach (var item in items.OrderByDescending(lengthOf))
        {
            // Descending, so the first is as long as the batch is wide.
            if (batch.Count > 0 && (batch.Count + 1) * rowsEach * lengthOf(batch[0]) > tokenBudget)
            {
                yield return batch;
                batch = [];
            }
            batch.Add(item);
        }
        if (batch.Count > 0) yield return batch;
    }
}
