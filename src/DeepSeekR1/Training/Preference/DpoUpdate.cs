using DeepSeekR1.Data;
using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>Two replies to one prompt, and what the reference model thinks of them.</summary>
/// <param name="Chosen">The better reply.</param>
/// <param name="Rejected">The worse reply.</param>
/// <param name="ReferenceChosen">Log-probability of the better reply under the reference, summed over its tokens.</param>
/// <param name="ReferenceRejected">Log-probability of the worse reply under the reference.</param>
public sealed record DpoPair(EncodedExample Chosen, EncodedExample Rejected, double ReferenceChosen, double ReferenceRejected);

/// <summary>
/// One optimizer step of direct preference optimization. The loss is a function of one number a reply; so the replies are scored first, the
/// loss is differentiated by those numbers, and the result is the credit of each token in a second pass. The gradient is therefore the same
/// however the step is cut, also of losses that compare all pairs of a step.
/// </summary>
/// <param name="policy">The model that learns.</param>
/// <param name="optimizer">Of its parameters.</param>
/// <param name="config">The loss and how a step is cut.</param>
public sealed class DpoUpdate(CausalLM policy, IOptimizer optimizer, DpoConfig config)
{
    private readonly MemoryBudget _memory = new(config.Batching, policy.Device);
    private readonly TokenGradient _gradient = new(policy, temperature: 1, config.Batching);
    private readonly SequenceScorer _scorer = new(policy, temperature: 1, config.Batching);

    /// <summary>Makes one step from all pairs together.</summary>
    public UpdateReport Step(IReadOnlyList<DpoPair> pairs, double learningRate)
    {
        TrainingSample[] replies = [.. pairs.Select(pair => Reply(pair.Chosen)), .. pairs.Select(pair => Reply(pair.Rejected))];
        double[] scores = Score(replies);
        double[] reference = [.. pairs.Select(pair => pair.ReferenceChosen), .. pairs.Select(pair => pair.ReferenceRejected)];
        var (credit, metrics) = Credit(config, scores, reference, [.. replies.Select(reply => (double)reply.CompletionLength)]);
        replies = [.. replies.Zip(credit, (reply, each) => reply with { Credit = Enumerable.Repeat((float)each, reply.CompletionLength).ToArray() })];
        var (_, tokens) = OptimizerStep.Gradient(replies, _memory, optimizer, policy, (batch, _) => _gradient.Accumulate(batch, (_, logProbs, _) =>
            (logProbs * batch.Gather((reply, position) => replies[reply].Credit.Span[position - replies[reply].PromptLength], logProbs.dtype)).sum()));
        return OptimizerStep.Apply(metrics, tokens, optimizer, learningRate, _memory);
    }

    /// <summary>[reply] log-probabilities, summed over the tokens.</summary>
    internal double[] Score(IReadOnlyList<EncodedExample> replies) => Score([.. replies.Select(Reply)]);

    private double[] Score(TrainingSample[] replies) => [.. _scorer.LogProbs(replies).Select(tokens => tokens.Sum(token => (double)token))];

    /// <summary>[reply] derivatives of the mean loss by the replies' log-probabilities; all chosen replies first, then the rejected ones.</summary>
    internal static (double[] Credit, LossMetrics Metrics) Credit(DpoConfig config, double[] scores, double[] referenceScores, double[] tokens)
    {
        using var scope = NewDisposeScope();
        int count = scores.Length / 2;
        var logProbs = tensor(scores).requires_grad_();
        var (reference, lengths) = (tensor(referenceScores), tensor(tokens));
        var ratios = logProbs - reference;
        var (chosen, rejected) = (Chosen(ratios), Rejected(ratios));
        var losses = config.Loss == DpoLossKind.Aot
            ? DpoLoss.Aot(config.Beta, config.LabelSmoothing, Chosen(logProbs) - Rejected(logProbs), Chosen(reference) - Rejected(reference))
            : DpoLoss.Of(config.Loss, config.Beta, config.LabelSmoothing, chosen, rejected, Chosen(lengths), Rejected(lengths));
        var loss = losses.mean();
        loss.backward();

        var metrics = new LossMetrics();
        metrics.Sum("loss", loss);
        metrics.Mean("rewards/chosen", chosen.detach().sum() * config.Beta, count);
        metrics.Mean("rewards/rejected", rejected.detach().sum() * config.Beta, count);
        metrics.Mean("rewards/accuracies", chosen.gt(rejected).to(ScalarType.Float64).sum(), count);
        metrics.Mean("rewards/margins", (chosen - rejected).detach().sum() * config.Beta, count);
        metrics.Mean("logps/chosen", Chosen(logProbs).detach().sum(), count);
        metrics.Mean("logps/rejected", Rejected(logProbs).detach().sum(), count);
        metrics.Collect();
        return (logProbs.grad!.data<double>().ToArray(), metrics);

        Tensor Chosen(Tensor all) => all.narrow(0, 0, count);
        Tensor Rejected(Tensor all) => all.narrow(0, count, count);
    }

    private static TrainingSample Reply(EncodedExample reply)
    {
        float[] ones = new float[reply.Ids.Length - reply.PromptLength];
        Array.Fill(ones, 1);
        return new TrainingSample { Ids = reply.Ids, PromptLength = reply.PromptLength, Credit = ones, Normalizer = ones };
    }
}
