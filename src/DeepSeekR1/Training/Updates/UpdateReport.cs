namespace DeepSeekR1.Training;

/// <summary>What became of an optimizer step.</summary>
public enum UpdateOutcome
{
    /// <summary>The weights moved.</summary>
    Applied,
    /// <summary>No token had a gradient (e.g. all scores of each group equal); weights and optimizer state are as before.</summary>
    NoSignal,
    /// <summary>Loss or gradient was NaN or infinite; weights and optimizer state are as before.</summary>
    NotFinite,
}

/// <summary>One optimizer step in numbers.</summary>
public sealed record UpdateReport
{
    /// <summary>Whether the weights moved.</summary>
    public required UpdateOutcome Outcome { get; init; }

    /// <summary>The loss of the whole step, before it was applied.</summary>
    public required double Loss { get; init; }

    /// <summary>Norm of the gradient before clipping.</summary>
    public required double GradNorm { get; init; }

    /// <summary>Learning rate of the step.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Tokens that entered the loss.</summary>
    public required int Tokens { get; init; }

    /// <summary>
    /// Everything by TRL's metric names: <c>loss</c>, <c>grad_norm</c>, <c>learning_rate</c>, <c>entropy</c>, <c>kl</c>,
    /// <c>clip_ratio/…</c>; means are weighted by token over the whole step.
    /// </summary>
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }

    /// <summary>
    /// Metrics of several updates as one: means weighted by token; the learning rate is the last one's, the gradient norm a plain mean.
    /// Sampler and trainer are compared in the first update alone: after it they are different policies.
    /// </summary>
    internal static Dictionary<string, double> Mean(IReadOnlyList<UpdateReport> updates)
    {
        var moved = updates.Where(update => update.Tokens > 0).ToList();
        var mean = moved.SelectMany(update => update.Metrics.Keys).Distinct().ToDictionary(name => name, name =>
        {
            var having = moved.Where(update => update.Metrics.ContainsKey(name)).Take(name.StartsWith("sampling/logp_difference", StringComparison.Ordinal) ? 1 : int.MaxValue).ToList();
            return having.Sum(update => update.Metrics[name] * update.Tokens) / having.Sum(update => (double)update.Tokens);
        });
        mean["learning_rate"] = updates[^1].LearningRate;
        mean["grad_norm"] = moved.Count > 0 ? moved.Average(update => update.GradNorm) : 0;
        mean["updates/skipped"] = updates.Count(update => update.Outcome == UpdateOutcome.NotFinite);
        return mean;
    }

    internal static UpdateReport Of(UpdateOutcome outcome, double gradNorm, double learningRate, int tokens, Dictionary<string, double> metrics)
    {
        double loss = metrics.GetValueOrDefault("loss");
        metrics["loss"] = loss;
        metrics["grad_norm"] = gradNorm;
        metrics["learning_rate"] = learningRate;
        return new() { Outcome = outcome, Loss = loss, GradNorm = gradNorm, LearningRate = learningRate, Tokens = tokens, Metrics = metrics };
    }
}
