using DeepSeekR1.Checkpoints;
using DeepSeekR1.Rewards;
using DeepSeekR1.Runtime;
using DeepSeekR1.Telemetry;
using DeepSeekR1.Training;

namespace DeepSeekR1.Stages;

/// <summary>One stage: which model it starts from, what trains it, and how often it is looked at.</summary>
/// <param name="Name">Its name in files and messages: <c>zero</c>.</param>
/// <param name="Summary">One line: what is trained on what.</param>
/// <param name="ModelFolder">The model it starts from.</param>
/// <param name="Open">Opens that model, or a checkpoint of the stage.</param>
/// <param name="CreateTrainer">Its trainer of that model.</param>
internal sealed record StagePlan<TModel>(string Name, string Summary, string ModelFolder, Func<string, TModel> Open, Func<TModel, ITrainer> CreateTrainer)
    where TModel : class, IModelFolder
{
    /// <summary>Steps between looks at the model; 0: none.</summary>
    public int EvaluateEvery { get; init; }

    /// <summary>Numbers about the model after so many steps, for metrics and curve; asked at step 0, every so many steps, and at the end.</summary>
    public Func<TModel, int, Task<IReadOnlyDictionary<string, double>>>? Evaluate { get; init; }

    /// <summary>What an evaluation is worth: the stage ends with the model of the best one. Null: it ends with the last model.</summary>
    public Func<IReadOnlyDictionary<string, double>, double>? Worth { get; init; }

    /// <summary>The stage ends early after this many evaluations in a row that were worth less than the best; 0: never.</summary>
    public int Patience { get; init; }

    /// <summary>Sees every step.</summary>
    public Action<StepReport>? Watch { get; init; }

    /// <summary>Where the curve of the evaluations is drawn; null: nowhere.</summary>
    public string? CurveFile { get; init; }

    /// <summary>Time that the stage took before its first step, to make its data.</summary>
    public double SecondsOfData { get; init; }
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
    public async Task<FinishedStage> RunAsync<TModel>(StagePlan<TModel> plan, CancellationToken cancellationToken) where TModel : class, IModelFolder
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
        using var model = plan.Open(newest?.Folder ?? plan.ModelFolder);
        using var trainer = plan.CreateTrainer(model);
        if (newest is { } checkpoint) trainer.Restore(checkpoint.Folder);
        run.Folder.RewindLogs(newest?.Mark.Logs ?? _logsBefore);

        var clock = new StageClock(run.Time, newest?.Mark.Seconds ?? plan.SecondsOfData);
        var progress = new StageProgress<TModel>(plan, model, trainer, checkpoints, clock) { Best = newest?.Mark.Best, Evaluations = newest?.Mark.Evaluations ?? 0 };
        run.Observer.StageStarted(new StageStart(plan.Name, trainer.Step, trainer.TotalSteps, plan.Summary));
        if (trainer.Step == 0 && plan.EvaluateEvery > 0) Record(plan, 0, await EvaluateAsync(progress));
        await TrainAsync(progress, cancellationToken);

        if (progress.Best is { } best && best.Step < trainer.Step) run.Say($"{plan.Name}: the model after step {best.Step} was the best on validation and is kept");
        if (run.IsProfiled)
            foreach (string line in progress.Profile.Table(plan.Name)) run.Say(line);
        checkpoints.Finish(Mark(progress), folder => SaveFinal(progress, folder));
        _logsBefore = run.Folder.SyncLogs();
        run.Observer.StageEnded(new StageEnd(plan.Name, TimeSpan.FromSeconds(clock.Seconds), checkpoints.FinalFolder));
        return new FinishedStage(checkpoints.FinalFolder, clock.Seconds);
    }

    /// <summary>The finished stage's model; null where the run folder has none.</summary>
    public string? FinishedModel(string stage)
    {
        var checkpoints = CheckpointsOf(stage);
        return checkpoints.Finished() is null ? null : checkpoints.FinalFolder;
    }

    private StageCheckpoints CheckpointsOf(string stage) => new(Path.Combine(run.Folder.CheckpointsFolder, stage), run.Recipe.Checkpoints.Keep);

    private async Task TrainAsync<TModel>(StageProgress<TModel> progress, CancellationToken cancellationToken) where TModel : class, IModelFolder
    {
        var (plan, trainer, checkpoints) = (progress.Plan, progress.Trainer, progress.Checkpoints);
        int savedAt = trainer.Step;
        while (trainer.Step < trainer.TotalSteps && !progress.IsExhausted)
        {
            if (cancellationToken.IsCancellationRequested && trainer.Step > savedAt) checkpoints.Save(Mark(progress), trainer.Save);
            cancellationToken.ThrowIfCancellationRequested();

            var report = await ProfiledStepAsync(progress, savedAt);
            plan.Watch?.Invoke(report);
            var metrics = new OrderedDictionary<string, double>(report.Metrics);
            if (IsDue(plan.EvaluateEvery, trainer))
                foreach (var (name, value) in await EvaluateAsync(progress)) metrics[name] = value;
            if (report is GrpoStepReport rollouts) RecordCompletions(plan.Name, rollouts);
            run.Folder.AppendTiming(plan.Name, report.Step, report is GrpoStepReport judged ? report.Seconds.Concat(judged.Spent) : report.Seconds);
            Record(plan, report.Step, metrics);

            int every = run.Recipe.Checkpoints.Every;
            if (every > 0 && trainer.Step % every == 0 && trainer.Step < trainer.TotalSteps)
            {
                checkpoints.Save(Mark(progress), trainer.Save);
                savedAt = trainer.Step;
            }
        }
    }

    private async Task<StepReport> ProfiledStepAsync<TModel>(StageProgress<TModel> progress, int savedAt) where TModel : class, IModelFolder
    {
        // On other devices operations are queued: how long they take is not known here.
        using var operations = run.IsProfiled && run.Runtime.IsCpu ? OperationClock.Read() : null;
        var report = await StepAsync(progress, savedAt);
        progress.Profile.Add(report.Seconds, operations?.Seconds());
        return report;
    }

    /// <summary>
    /// A step that has begun is finished: what is saved is always the state between two steps. A reward that fails, such as a service that
    /// is down, costs the step alone.
    /// </summary>
    private async Task<StepReport> StepAsync<TModel>(StageProgress<TModel> progress, int savedAt) where TModel : class, IModelFolder
    {
        var (plan, trainer) = (progress.Plan, progress.Trainer);
        try
        {
            return await trainer.StepAsync(CancellationToken.None);
        }
        catch (RewardFailureException failure)
        {
            if (trainer.Step > savedAt) progress.Checkpoints.Save(Mark(progress), trainer.Save);
            throw new R1Exception($"{plan.Name}, step {trainer.Step + 1}: {failure.Message.TrimEnd('.')}. The {trainer.Step} steps before it are saved: once the reward works again, go on with --resume.", failure);
        }
    }

    private static bool IsDue(int every, ITrainer trainer) => every > 0 && (trainer.Step % every == 0 || trainer.Step == trainer.TotalSteps);

    private async Task<IReadOnlyDictionary<string, double>> EvaluateAsync<TModel>(StageProgress<TModel> progress) where TModel : class, IModelFolder
    {
        var (plan, step) = (progress.Plan, progress.Trainer.Step);
        run.Observer.WorkDone(new WorkProgress($"evaluating {plan.Name} after step {step}", 0, 1));
        if (plan.Evaluate is null) return new Dictionary<string, double>();
        var values = await plan.Evaluate(progress.Model, step);
        if (plan.Worth is not { } worth) return values;
        progress.Evaluations++;
        if (worth(values) is var value && !(progress.Best is { } best && best.Worth >= value))
        {
            progress.Checkpoints.SaveBest(progress.Model.Save);
            progress.Best = new BestModel(step, progress.Evaluations, value);
        }
        return values;
    }

    private static void SaveFinal<TModel>(StageProgress<TModel> progress, string folder) where TModel : class, IModelFolder
    {
        if (progress.Best is not { } best || best.Step == progress.Trainer.Step)
        {
            progress.Model.SaveWhole(folder);
            return;
        }
        using var model = progress.Plan.Open(progress.Checkpoints.BestFolder);
        model.SaveWhole(folder);
    }

    private StageMark Mark<TModel>(StageProgress<TModel> progress) where TModel : class, IModelFolder =>
        new(progress.Trainer.Step, progress.Clock.Seconds, run.Folder.SyncLogs(), new Dictionary<string, string>()) { Best = progress.Best, Evaluations = progress.Evaluations };

    private void Record<TModel>(StagePlan<TModel> plan, int step, IReadOnlyDictionary<string, double> values) where TModel : class, IModelFolder
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

    /// <summary>A stage under way.</summary>
    private sealed record StageProgress<TModel>(StagePlan<TModel> Plan, TModel Model, ITrainer Trainer, StageCheckpoints Checkpoints, StageClock Clock) where TModel : class, IModelFolder
    {
        public BestModel? Best { get; set; }

        public int Evaluations { get; set; }

        public StageProfile Profile { get; } = new();

        /// <summary>So many evaluations in a row were worth less than the best that going on has no point.</summary>
        public bool IsExhausted => Plan.Patience > 0 && Best is { } best && Evaluations - best.Evaluation >= Plan.Patience;
    }

    /// <summary>Time of a stage over all its runs.</summary>
    private sealed class StageClock(TimeProvider time, double secondsBefore)
    {
        private readonly long _start = time.GetTimestamp();

        public double Seconds => secondsBefore + time.GetElapsedTime(_start).TotalSeconds;
    }
}
