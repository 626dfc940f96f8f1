using System.Globalization;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Configuration;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using DeepSeekR1.Telemetry;
using DeepSeekR1.Training;

namespace DeepSeekR1.Tests.Stages;

/// <summary>A stage ends with the model of its best evaluation, also when it was stopped between.</summary>
public sealed class BestModelTests : IDisposable
{
    /// <summary>What the evaluation after 0, 1, 2, … steps is worth.</summary>
    private static readonly double[] _worth = [1, 2, 5, 4, 4.5, 3, 0, 0];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-best-");

    [Theory]
    [InlineData(0, 7)]
    [InlineData(2, 4)]
    [InlineData(3, 5)]
    public async Task The_best_model_is_kept_and_patience_ends_the_stage(int patience, int lastStep)
    {
        string start = StartModel();
        using var folder = RunFolder.Create(Path.Combine(_folder.FullName, "run"));
        var done = await RunnerOf(folder).RunAsync(Plan(start, patience), TestContext.Current.CancellationToken);
        Assert.Equal(2, NumberModel.Open(done.ModelFolder).Number);
        Assert.Equal(lastStep, folder.ReadMetrics()[^1].Step);
        Assert.False(Directory.Exists(Path.Combine(folder.CheckpointsFolder, "numbers", "best")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(6)]
    public async Task A_stopped_stage_remembers_its_best_model(int stoppedAfter)
    {
        string start = StartModel(), output = Path.Combine(_folder.FullName, "run");
        using (var folder = RunFolder.Create(output))
        {
            using var source = new CancellationTokenSource();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RunnerOf(folder, new CancelAfter(stoppedAfter, source)).RunAsync(Plan(start, patience: 0), source.Token));
        }
        using var resumed = RunFolder.Resume(output);
        var done = await RunnerOf(resumed).RunAsync(Plan(start, patience: 0), TestContext.Current.CancellationToken);
        Assert.Equal(2, NumberModel.Open(done.ModelFolder).Number);
    }

    [Fact]
    public async Task A_stage_of_reinforcement_keeps_the_model_of_its_best_evaluation()
    {
        // A run that is stopped before its last step leaves the model after each step, with which the other's is compared.
        using MiniRun stopped = new(), best = new();
        string[] config = ["zero.grpo.steps=6", "zero.evaluateEvery=1", "checkpoints.every=1", "checkpoints.keep=6"];
        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stopped.TrainAsync(TrainStage.Zero, new CancelAfter(5, source), overrides: config, cancellationToken: source.Token));
        await best.TrainAsync(TrainStage.Zero, overrides: [.. config, "zero.bestBy=eval_format"], cancellationToken: TestContext.Current.CancellationToken);

        using var folder = RunFolder.Resume(best.Output);
        int step = folder.ReadMetrics().MaxBy(line => line.Values["eval_format"])!.Step;
        Assert.InRange(step, 0, 4);
        byte[] After(int steps) => stopped.Read(steps == 0 ? ["checkpoints", "mini-base", "model.safetensors"] : ["checkpoints", "zero", $"checkpoint-{steps}", "model.safetensors"]);
        byte[] kept = best.Read("checkpoints", "zero", "model", "model.safetensors");
        Assert.Equal(After(step), kept);
        Assert.NotEqual(After(5), kept);

        using var wrong = new MiniRun();
        var failure = await Assert.ThrowsAsync<R1Exception>(() => wrong.TrainAsync(TrainStage.Zero, overrides: [.. config, "zero.bestBy=accuracy"]));
        Assert.Equal("bestBy: there is no evaluation 'accuracy'; there is eval_accuracy, eval_format, eval_length, eval_language.", failure.Message);
    }

    [Fact]
    public async Task A_supervised_stage_is_evaluated_and_keeps_its_best_model_as_those_of_reinforcement_do()
    {
        using MiniRun last = new(), best = new();
        string[] config = ["coldStart.evaluateEvery=2", "coldStart.sft.steps=5", "checkpoints.every=1", "checkpoints.keep=6"];
        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => last.TrainAsync(TrainStage.ColdStart, new CancelAfter(4, source), overrides: config, cancellationToken: source.Token));
        await best.TrainAsync(TrainStage.ColdStart, overrides: [.. config, "coldStart.bestBy=eval_accuracy"], cancellationToken: TestContext.Current.CancellationToken);

        using var folder = RunFolder.Resume(best.Output);
        StepMetrics[] evaluated = [.. folder.ReadMetrics().Where(line => line.Stage == "cold-start" && line.Values.ContainsKey("eval_accuracy"))];
        Assert.Equal([0, 2, 4, 5], evaluated.Select(line => line.Step));
        int step = evaluated.MaxBy(line => line.Values["eval_accuracy"])!.Step;
        Assert.InRange(step, 2, 4);
        Assert.Equal(last.Read("checkpoints", "cold-start", $"checkpoint-{step}", "model.safetensors"), best.Read("checkpoints", "cold-start", "model", "model.safetensors"));
        Assert.True(File.Exists(best.Path("curve-cold-start.svg")));
    }

    [Theory]
    [InlineData("rejectionSft")]
    [InlineData("distill")]
    public void The_best_model_of_a_supervised_stage_needs_evaluations(string stage)
    {
        var failure = Assert.Throws<R1Exception>(() => ConfigReader.Load<Recipe>("mini", [$"{stage}.bestBy=eval_accuracy"]));
        Assert.Contains($"{stage}.bestBy", failure.Message, StringComparison.Ordinal);
        Assert.Contains("needs evaluations: set evaluateEvery", failure.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string StartModel()
    {
        string start = Path.Combine(_folder.FullName, "start");
        Directory.CreateDirectory(start);
        new NumberModel().Save(start);
        return start;
    }

    private static StageRunner RunnerOf(RunFolder folder, IRunObserver? observer = null)
    {
        var recipe = new Recipe { Checkpoints = new CheckpointConfig { Every = 0 } };
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 });
        return new StageRunner(new RunContext(recipe, RunData.Load(recipe), folder, observer ?? SilentObserver.Instance, runtime, TimeProvider.System));
    }

    private static StagePlan<NumberModel> Plan(string start, int patience) => new("numbers", "counting", start, NumberModel.Open, model => new Counter(model))
    {
        EvaluateEvery = 1,
        Evaluate = (model, _) => Task.FromResult<IReadOnlyDictionary<string, double>>(new Dictionary<string, double> { ["eval_worth"] = _worth[model.Number] }),
        Worth = values => values["eval_worth"],
        Patience = patience,
    };

    /// <summary>A model that is a number in a file.</summary>
    private sealed class NumberModel : IModelFolder
    {
        public int Number { get; set; }

        public static NumberModel Open(string folder) => new() { Number = int.Parse(File.ReadAllText(Path.Combine(folder, "number")), CultureInfo.InvariantCulture) };

        public void Save(string folder) => File.WriteAllText(Path.Combine(folder, "number"), Number.ToString(CultureInfo.InvariantCulture));

        public void Dispose() { }
    }

    /// <summary>Counts the model up, seven times.</summary>
    private sealed class Counter(NumberModel model) : ITrainer
    {
        public int Step => model.Number;

        public int TotalSteps => 7;

        public Task<StepReport> StepAsync(CancellationToken cancellationToken = default) =>
            Task.FromResult(new StepReport(++model.Number, new Dictionary<string, double>(), new Dictionary<string, double>()));

        public void Save(string folder) => model.Save(folder);

        public void Restore(string folder) { }

        public void Dispose() { }
    }
}
