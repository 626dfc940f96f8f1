using DeepSeekR1.Rollouts;
using DeepSeekR1.Telemetry;
using DeepSeekR1.Training;

namespace DeepSeekR1.Stages;

/// <summary>One stage: which model it starts from, what trains it, and how often it is looked at.</summary>
/// <param name="Name">Its name in files and messages: <c>zero</c>.</param>
/// <param name="Summary">One line: what is trained on what.</param>
/// <param name="ModelFolder">The model it starts from.</param>
/// <param name="CreateTrainer">Its trainer of that model.</param>
internal sealed record StagePlan(string Name, string Summary, string ModelFolder, Func<PolicyModel, ITrainer> CreateTrainer)
{
    /// <summary>Steps between looks at the policy; 0: none.</summary>
    public int EvaluateEvery { get; init; }

    /// <summary>Numbers about the policy after so many steps, for metrics and curve; asked at step 0, every so many steps, and at the end.</summary>
    public Func<PolicyModel, int, Task<IReadOnlyDictionary<string, double>>>? Evaluate { get; init; }

    /// <summary>Where the curve of the evaluations is drawn; null: nowhere.</summary>
    public string? CurveFile { get; init; }
}

/// <summary>A finished stage.</summary>
/// <param name="ModelFolder">Its model.</param>
/// <param name="Seconds">Time it took, all its runs together.</param>
internal sealed record FinishedStage(string ModelFolder, double Seconds);

/// <summary>
/// Runs a stage: resumes, steps, evaluates, records, saves. Every step's numbers are in the run folder before the next begins, and a
/// checkpoint knows how long the files were, so that a killed run that goes on leaves the same bytes as one that was not.
/// </summary>
internal sealed class StageRunner(RunContext run)
{
    private const string EvaluationMetrics = "eval_";

    /// <summary>Lengths of the logs where the stage before ended: what a stage that was killed before its first checkpoint goes back to.</summary>
    private LogLengths _logsBefore;

    /// <summary>Runs a stage to its end, or until it is cancelled; then the step under way is finished and saved.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; everything is saved.</exception>
    public async Task<FinishedStage> RunAsync(StagePlan plan, CancellationToken cancellationToken)
    {
        var checkpoints = CheckpointsOf(plan.Name);
        if (checkpoints.Finished() is { } done)
        {
            _logsBefore = done.Logs;
            run.Say($"{plan.Name}: done already, model in {checkpoints.FinalFolder}");
            return new FinishedStage(checkpoints.FinalFolder, done.Seconds);
        }
        cancellationToken.ThrowIfCancellationRequested();

        var newest = checkpoints.Newest(run.Warn);
        using var policy = run.Open(newest?.Folder ?? plan.ModelFolder);
        using var trainer = plan.CreateTrainer(policy);
        if (newest is { } checkpoint) trainer.Restore(checkpoint.Folder);
        run.Folder.RewindLogs(newest?.Mark.Logs ?? _logsBefore);

        var clock = new StageClock(run.Time, newest?.Mark.Seconds ?? 0);
        run.Observer.StageStarted(new StageStart(plan.Name, trainer.Step, trainer.TotalSteps, plan.Summary));
        if (trainer.Step == 0 && plan.EvaluateEvery > 0) Record(plan, 0, await EvaluateAsync(plan, policy, 0));
        await TrainAsync(plan, policy, trainer, checkpoints, clock, cancellationToken);

        checkpoints.Finish(Mark(trainer, clock), policy.Save);
        _logsBefore = run.Folder.SyncLogs();
        run.Observer.StageEnded(new StageEnd(plan.Name, TimeSpan.FromSeconds(clock.Seconds), checkpoints.FinalFolder));
        return new FinishedStage(checkpoints.FinalFolder, clock.Seconds);
    }

    /// <summary>True where the run folder has the stage's finished model.</summary>
    public bool IsFinished(string stage) => CheckpointsOf(stage).Finished() is not null;

    private StageCheckpoints CheckpointsOf(string stage) => new(Path.Combine(run.Folder.CheckpointsFolder, stage), run.Recipe.Checkpoints.Keep);

    private async Task TrainAsync(
        StagePlan plan, PolicyModel policy, ITrainer trainer, StageCheckpoints checkpoints, StageClock clock, CancellationToken cancellationToken)
    {
        int savedAt = trainer.Step;
        while (trainer.Step < trainer.TotalSteps)
        {
            if (cancellationToken.IsCancellationRequested && trainer.Step > savedAt) checkpoints.Save(Mark(trainer, clock), trainer.Save);
            cancellationToken.ThrowIfCancellationRequested();

            // A step that has begun is finished: what is saved is always the state between two steps.
            var report = await trainer.StepAsync(CancellationToken.None);
            var metrics = new OrderedDictionary<string, double>(report.Metrics);
            if (IsDue(plan.EvaluateEvery, trainer))
                foreach (var (name, value) in await EvaluateAsync(plan, policy, trainer.Step)) metrics[name] = value;
            if (report is GrpoStepReport rollouts) RecordCompletions(plan.Name, rollouts);
            run.Folder.AppendTiming(plan.Name, report.Step, report.Seconds);
            Record(plan, report.Step, metrics);

            int every = run.Recipe.Checkpoints.Every;
            if (every > 0 && trainer.Step % every == 0 && trainer.Step < trainer.TotalSteps)
            {
                checkpoints.Save(Mark(trainer, clock), trainer.Save);
                savedAt = trainer.Step;
            }
        }
    }

    private static bool IsDue(int every, ITrainer trainer) => every > 0 && (trainer.Step % every == 0 || trainer.Step == trainer.TotalSteps);

    private async Task<IReadOnlyDictionary<string, double>> EvaluateAsync(StagePlan plan, PolicyModel policy, int step)
    {
        run.Observer.WorkDone(new WorkProgress($"evaluating {plan.Name} after step {step}", 0, 1));
        return plan.Evaluate is null ? new Dictionary<string, double>() : await plan.Evaluate(policy, step);
    }

    private StageMark Mark(ITrainer trainer, StageClock clock) => new(trainer.Step, clock.Seconds, run.Folder.SyncLogs(), new Dictionary<string, string>());

    private void Record(StagePlan plan, int step, IReadOnlyDictionary<string, double> values)
    {
        var metrics = new StepMetrics(plan.Name, step, values);
        run.Folder.Append(metrics);
        if (plan.CurveFile is not null && values.Keys.Any(name => name.StartsWith(EvaluationMetrics, StringComparison.Ordinal)))
            run.Folder.WriteCurve(CurveSvg.Evolution($"{plan.Name}: accuracy, format and length on the validation prompts",
                [.. run.Folder.ReadMetrics().Where(line => line.Stage == plan.Name)]), plan.CurveFile);
        if (step > 0) run.Observer.StepDone(metrics);
    }

    private void RecordCompletions(string stage, GrpoStepReport report)
    {
        int sample = 0;
        foreach (var group in report.Groups)
            for (int i = 0; i < group.Scores.Count; i++, sample++)
                run.Folder.Append(new CompletionRecord
                {
                    Stage = stage,
                    Step = report.Step,
                    Prompt = group.Group.Prompt.Prompt,
                    Completion = group.Group.Rollouts[i].Completion,
                    Rewards = report.RewardNames.Zip(group.Scores[i].ByReward).ToDictionary(pair => pair.First, pair => pair.Second),
                    Reward = group.Scores[i].Total,
                    Advantage = report.Advantages[sample],
                });
    }

    /// <summary>Time of a stage over all its runs.</summary>
    private sealed class StageClock(TimeProvider time, double secondsBefore)
    {
        private readonly long _start = time.GetTimestamp();

        public double Seconds => secondsBefore + time.GetElapsedTime(_start).TotalSeconds;
    }
}
