using DeepSeekR1.Evaluation;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Stages;

/// <summary>Measures models: rows of the results table on the test prompts, and the curve's numbers on the validation prompts.</summary>
internal sealed class Measurements(RunContext run)
{
    private EvaluationConfig Config => run.Recipe.Evaluation;

    /// <summary>Adds a row, unless a resumed run has it or there are no test prompts.</summary>
    /// <param name="name">The row's name.</param>
    /// <param name="modelFolder">The model.</param>
    /// <param name="seconds">What its training took; null: nothing was trained.</param>
    /// <param name="forcedStart">What every answer begins with; null: nothing. Such a row is a control, sampled only.</param>
    /// <param name="cancellationToken">Checked at every token.</param>
    public async Task AddRowAsync(string name, string modelFolder, double? seconds, string? forcedStart = null, CancellationToken cancellationToken = default)
    {
        if (run.Data.Test.Count == 0 || run.Folder.Rows.Any(row => row.Name == name)) return;
        using var policy = run.Open(modelFolder);
        var evaluator = Evaluator(policy);
        var progress = new Progress(run.Observer, name);
        var sampled = await evaluator.SampleAsync(
            run.Data.Test, Config.Samples, forcedStart is null ? Config.ConsensusSamples : 0, forcedStart: forcedStart, progress: progress, cancellationToken: cancellationToken);
        var values = new OrderedDictionary<string, double> { ["accuracy"] = sampled.Accuracy, ["standard_error"] = sampled.StandardError };
        if (forcedStart is null) values["greedy"] = (await evaluator.GreedyAsync(run.Data.Test, progress, cancellationToken)).Accuracy;
        if (sampled.Consensus is { } consensus) values["consensus"] = consensus;
        if (run.Data.Longer.Count > 0)
            values["longer"] = (await evaluator.SampleAsync(run.Data.Longer, Config.Samples, forcedStart: forcedStart,
                maxNewTokens: Config.LongerMaxNewTokens, progress: progress, cancellationToken: cancellationToken)).Accuracy;
        values["format"] = sampled.Format;
        if (sampled.Language is { } language) values["language"] = language;
        values["length"] = sampled.Length;
        if (run.Data.World is { } world && forcedStart is null)
        {
            var chats = ChatEvaluation.Measure(policy, world.TestChats(), Config, new AddressedRandom(run.Recipe.Seed, RandomPurpose.Evaluation), step: 1, cancellationToken);
            (values["harmless"], values["helpful"]) = (chats.Harmless, chats.Helpful);
        }
        if (seconds is { } time) values["seconds"] = time;
        var row = new ResultRow(name, values);
        run.Folder.Add(row);
        run.Observer.RowMeasured(row);
    }

    /// <summary>What a curve shows of a policy, on the validation prompts.</summary>
    public async Task<IReadOnlyDictionary<string, double>> CurveAsync(PolicyModel policy, int step, int samples)
    {
        var measured = await Evaluator(policy).SampleAsync(run.Data.Validation, samples, step: step);
        var values = new OrderedDictionary<string, double>
        {
            ["eval_accuracy"] = measured.Accuracy,
            ["eval_format"] = measured.Format,
            ["eval_length"] = measured.Length,
        };
        if (measured.Language is { } language) values["eval_language"] = language;
        return values;
    }

    private Evaluator Evaluator(PolicyModel policy) => new(policy, Config, new AddressedRandom(run.Recipe.Seed, RandomPurpose.Evaluation));

    private sealed class Progress(IRunObserver observer, string name) : IProgress<RolloutProgress>
    {
        public void Report(RolloutProgress value) => observer.WorkDone(new WorkProgress($"measuring {name}", value.FinishedSequences, value.TotalSequences));
    }
}
