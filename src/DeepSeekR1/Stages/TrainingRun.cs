using System.Text.Json.Nodes;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Configuration;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Telemetry;
using DeepSeekR1.Training;

namespace DeepSeekR1.Stages;

/// <summary>Runs the stages that a request asks for, in one run folder; what <c>r1 train</c> does.</summary>
public sealed class TrainingRun
{
    /// <summary>The recipe of a run that names none.</summary>
    public const string DefaultRecipe = "mini";

    private readonly RunContext _run;
    private readonly StageRunner _stages;
    private readonly Measurements _measurements;

    /// <summary>Rows of the model that a run starts from: measured after its first stage, so that training begins at once.</summary>
    private readonly Queue<Func<Task>> _firstRows = [];

    private readonly CancellationToken _cancellationToken;

    private TrainingRun(RunContext run, CancellationToken cancellationToken)
    {
        (_run, _cancellationToken) = (run, cancellationToken);
        (_stages, _measurements) = (new StageRunner(run), new Measurements(run));
    }

    /// <summary>Runs the request to its end.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="observer">Hears of everything as it happens.</param>
    /// <param name="time">Clock of the timings; null: the system's.</param>
    /// <param name="cancellationToken">The step under way is finished and saved; then the run ends.</param>
    /// <exception cref="R1Exception">Anything in config, data, model or output is amiss, or training cannot go on.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; everything is saved.</exception>
    public static async Task RunAsync(TrainRequest request, IRunObserver observer, TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        var recipe = Resolve(request);
        var stages = StagesOf(request.Stage);
        if (request is { Resume: true, Output: { } resumed }) CheckSame(recipe, resumed);
        var runtime = TorchRuntime.Create(recipe.Runtime);
        await ComputeThread.RunAsync(runtime, async () =>
        {
            var data = RunData.Load(recipe);
            if (request.DryRun)
            {
                DryRun.Describe(recipe, data, stages, observer);
                return true;
            }
            string output = request.Output ?? RunFolder.NextFree("runs", EnumNames.Name(request.Stage));
            using var folder = request.Resume ? RunFolder.Resume(output) : RunFolder.Create(output);
            folder.WriteConfig(recipe);
            await new TrainingRun(new RunContext(recipe, data, folder, observer, runtime, time ?? TimeProvider.System, request.Profile), cancellationToken).RunAsync(stages);
            return true;
        });
    }

    /// <summary>The recipe with everything that the request sets.</summary>
    /// <exception cref="R1Exception">The config or an override is wrong.</exception>
    public static Recipe Resolve(TrainRequest request)
    {
        string? ofRun = request is { Resume: true, Config: null, Output: { } output } && File.Exists(ConfigOf(output)) ? ConfigOf(output) : null;
        var recipe = ConfigReader.Load<Recipe>(request.Config ?? ofRun ?? DefaultRecipe, request.Overrides);
        if (request.Model is { } model) recipe = recipe with { Model = recipe.Model with { Path = model } };
        if (request.Seed is { } seed) recipe = recipe with { Seed = seed };
        if (request.Device is { } device) recipe = recipe with { Runtime = recipe.Runtime with { Device = device } };
        if (request.Data is { } file)
            recipe = recipe with
            {
                Data = request.Stage == TrainStage.ColdStart
                    ? recipe.Data with { ColdStart = recipe.Data.ColdStart with { Path = file } }
                    : recipe.Data with { Prompts = recipe.Data.Prompts with { Path = file } },
            };
        return recipe;
    }

    private static string ConfigOf(string output) => Path.Combine(output, "config.json");

    /// <summary>A run goes on with the settings it began with; only the machine's share and the checkpoints may change.</summary>
    private static void CheckSame(Recipe recipe, string output)
    {
        if (!File.Exists(ConfigOf(output))) return;
        var began = ConfigReader.Load<Recipe>(ConfigOf(output));
        if (ConfigWriter.FirstDifference(began, recipe with { Runtime = began.Runtime, Checkpoints = began.Checkpoints }) is var (then, now))
            throw new R1Exception($"{ConfigOf(output)}: the run began with {then}, but now {now} is asked for. " +
                "Leave --config and --set out of --resume, or begin anew in another --output.");
    }

    private static IReadOnlyList<TrainStage> StagesOf(TrainStage stage) =>
        stage == TrainStage.All ? [.. Enum.GetValues<TrainStage>().Except([TrainStage.Pretrain, TrainStage.All])] : [stage];

    private async Task RunAsync(IReadOnlyList<TrainStage> stages)
    {
        string start = await BaseModelAsync(stages);
        if (stages is [TrainStage.Pretrain]) return;
        _firstRows.Enqueue(() => MeasureAsync("base", start, seconds: null));
        if (_run.Recipe.Model.ForcedStart is { } forced) _firstRows.Enqueue(() => MeasureAsync("base-think", start, seconds: null, forced));

        if (stages.Contains(TrainStage.Zero)) await StageAsync(ZeroStage.Plan(_run, start), ZeroStage.Row);
        if (stages.Contains(TrainStage.ColdStart)) await StageAsync(ColdStartStage.Plan(_run, start), ColdStartStage.Row);
        if (stages.Contains(TrainStage.ReasoningRl)) await ReasoningRlAsync(Latest(start, ColdStartStage.Name));
        if (stages.Contains(TrainStage.RejectionSft))
            await StageAsync(await RejectionSftStage.PlanAsync(_run, start, Latest(start, ColdStartStage.Name, ReasoningRlStage.Name), _cancellationToken), RejectionSftStage.Row);
        if (stages.Contains(TrainStage.RewardModel)) await RewardModelsAsync(Latest(start, RejectionSftStage.Name));
        if (stages.Contains(TrainStage.AllScenarioRl)) await AllScenarioRlAsync(Latest(start, RejectionSftStage.Name));
        if (stages.Contains(TrainStage.Distill)) await DistillAsync(Latest(start, RejectionSftStage.Name, AllScenarioRlStage.Name));
        await FirstRowsAsync();
    }

    /// <summary>The model of the latest of these stages that this folder has finished; else the model the run starts from.</summary>
    private string Latest(string start, params string[] stages) => stages.Select(_stages.FinishedModel).LastOrDefault(model => model is not null) ?? start;

    private async Task ReasoningRlAsync(string modelFolder)
    {
        await StageAsync(ReasoningRlStage.Plan(_run, modelFolder), ReasoningRlStage.Row);
        if (ReasoningRlStage.Control(_run, modelFolder) is var (plan, row)) await StageAsync(plan, row);
    }

    private async Task RewardModelsAsync(string modelFolder)
    {
        await _stages.RunAsync(RewardModelStage.PlanHelpful(_run, modelFolder, _cancellationToken), _cancellationToken);
        await _stages.RunAsync(RewardModelStage.PlanSafety(_run, modelFolder, _cancellationToken), _cancellationToken);
    }

    private async Task AllScenarioRlAsync(string modelFolder)
    {
        var config = _run.Recipe.AllScenarioRl;
        using var helpful = OpenJudge(config.HelpfulModel, RewardModelStage.Helpful, "allScenarioRl.helpfulModel");
        using var safety = OpenJudge(config.SafetyModel, RewardModelStage.Safety, "allScenarioRl.safetyModel");
        await StageAsync(AllScenarioRlStage.Plan(_run, modelFolder, helpful, safety), AllScenarioRlStage.Row);
    }

    private RewardModel OpenJudge(string? named, string stage, string setting)
    {
        string folder = named ?? _stages.FinishedModel(stage) ??
            throw new R1Exception($"The stage all-scenario-rl needs a reward model, but this run has not trained one: run the stage reward-model with the same --output first, or set {setting}.");
        return _run.OpenJudge(folder);
    }

    private async Task DistillAsync(string teacherFolder)
    {
        string path = _run.Recipe.Distill.Student ?? throw new R1Exception("Distillation has no student: set distill.student to a Hugging Face folder.");
        string student = EmbeddedModels.Resolve(path, _run.Folder.CheckpointsFolder);
        await StageAsync(await DistillStage.PlanAsync(_run, student, teacherFolder, _cancellationToken), DistillStage.Row);
        await StageAsync(DistillStage.Control(_run, student), DistillStage.ControlRow);
    }

    /// <summary>The model that all stages start from: the named one, or one made from nothing.</summary>
    private async Task<string> BaseModelAsync(IReadOnlyList<TrainStage> stages)
    {
        if (_run.Recipe.Model.Path is { } path && !stages.Contains(TrainStage.Pretrain)) return Describe(EmbeddedModels.Resolve(path, _run.Folder.CheckpointsFolder));
        var made = await _stages.RunAsync(PretrainStage.Plan(_run), _cancellationToken);
        await MeasureAsync("base", made.ModelFolder, made.Seconds);
        return Describe(made.ModelFolder);
    }

    /// <summary>Says what the stages start from, and what ends its answers: a token that is missing there lets every answer run to its limit.</summary>
    private string Describe(string start)
    {
        var model = CheckpointSummary.Of(PeftAdapter.IsAdapter(start) ? PeftAdapter.BaseOf(start) : start);
        string stops = "answers end at " + string.Join(", ", model.StopTokens.Select(token => $"{token.Id} {token.Text}"));
        _run.Say($"model {start}: {model.Architecture}, {model.Parameters:N0} parameters, {stops}");
        _run.Folder.WriteConfig(_run.Recipe, stops);
        _run.Folder.WriteModel(new JsonObject
        {
            ["path"] = start,
            ["architecture"] = model.Architecture,
            ["parameters"] = model.Parameters,
            ["stop_tokens"] = new JsonArray([.. model.StopTokens.Select(token => new JsonObject { ["id"] = token.Id, ["token"] = token.Text })]),
        });
        return start;
    }

    private async Task StageAsync(StagePlan<PolicyModel> plan, string row)
    {
        var done = await _stages.RunAsync(plan, _cancellationToken);
        await FirstRowsAsync();
        await MeasureAsync(row, done.ModelFolder, done.Seconds);
    }

    private async Task FirstRowsAsync()
    {
        while (_firstRows.TryDequeue(out var measure)) await measure();
    }

    private Task MeasureAsync(string name, string modelFolder, double? seconds, string? forcedStart = null) =>
        _measurements.AddRowAsync(name, modelFolder, seconds, forcedStart, _cancellationToken);
}
