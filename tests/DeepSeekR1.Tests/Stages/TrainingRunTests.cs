using System.Text.Json;
using DeepSeekR1.Configuration;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Tests.Stages;

public class TrainingRunTests
{
    [Fact]
    public async Task All_runs_every_stage_and_leaves_the_whole_folder()
    {
        using var run = new MiniRun();
        await run.TrainAsync(TrainStage.All, cancellationToken: TestContext.Current.CancellationToken);

        using var results = JsonDocument.Parse(run.Read("results.json"));
        var rows = results.RootElement.GetProperty("rows").EnumerateArray().ToDictionary(row => row.GetProperty("name").GetString()!);
        Assert.Equal(["base", "base-think", "zero", "dev1", "dev2", "dev2-no-language", "dev3", "r1", "distilled", "student-rl"], rows.Keys);
        foreach (string column in new[] { "accuracy", "greedy", "consensus", "longer", "format", "language", "harmless", "helpful" })
            Assert.InRange(rows["zero"].GetProperty(column).GetDouble(), 0, 1);
        Assert.True(rows["zero"].GetProperty("length").GetDouble() > 1);
        Assert.True(rows["zero"].GetProperty("seconds").GetDouble() > 0);

        Assert.Contains("| zero |", File.ReadAllText(run.Path("results.md")), StringComparison.Ordinal);
        Assert.StartsWith("<svg", File.ReadAllText(run.Path("curve.svg")).TrimStart(), StringComparison.Ordinal);
        string[] metrics = File.ReadAllLines(run.Path("metrics.jsonl"));
        Assert.Equal(1 + 4, metrics.Count(line => line.Contains("\"stage\":\"zero\"", StringComparison.Ordinal)));
        Assert.Equal(4 * 4 * 4, File.ReadLines(run.Path("completions.jsonl")).Count(line => line.Contains("\"stage\":\"zero\"", StringComparison.Ordinal)));
        foreach (string stage in new[] { "zero", "cold-start", "reasoning-rl", "reasoning-rl-no-language", "rejection-sft", "reward-model-helpful", "reward-model-safety", "all-scenario-rl", "distill", "student-rl" })
            Assert.True(File.Exists(run.Path("checkpoints", stage, "model", "model.safetensors")), stage);
        var resolved = ConfigReader.Load<DeepSeekR1.Stages.Recipe>(run.Path("config.json"));
        Assert.Equal(4, resolved.Zero.Grpo.Steps);
        Assert.Matches(@"^// answers end at \d+ <eos>\n\{", File.ReadAllText(run.Path("config.json")));
        using var model = JsonDocument.Parse(run.Read("model.json"));
        Assert.Equal("LlamaForCausalLM", model.RootElement.GetProperty("architecture").GetString());
        Assert.Equal(["<eos>"], model.RootElement.GetProperty("stop_tokens").EnumerateArray().Select(token => token.GetProperty("token").GetString()));
    }

    [Theory]
    [InlineData(TrainStage.Pretrain, "pretrain", "mini-base", 3)]
    [InlineData(TrainStage.Zero, "zero", "mini", 2)]
    [InlineData(TrainStage.ColdStart, "cold-start", "mini", 1)]
    [InlineData(TrainStage.ReasoningRl, "reasoning-rl", "mini", 1)]
    [InlineData(TrainStage.RejectionSft, "rejection-sft", "mini", 1)]
    [InlineData(TrainStage.RewardModel, "reward-model-safety", "mini", 3)]
    [InlineData(TrainStage.Distill, "student-rl", "mini", 3)]
    public async Task A_cancelled_run_goes_on_as_if_it_had_not_been(TrainStage stage, string name, string config, int cancelAfter)
    {
        using MiniRun whole = new(), parted = new();
        string[] overrides = ["checkpoints.every=2", "zero.grpo.loss.beta=0.01", "zero.grpo.referenceReplacedEvery=3"];
        await whole.TrainAsync(stage, config: config, overrides: overrides, cancellationToken: TestContext.Current.CancellationToken);

        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            parted.TrainAsync(stage, new CancelAfter(cancelAfter, source), config: config, overrides: overrides, cancellationToken: source.Token));
        Assert.False(Directory.Exists(parted.Path("checkpoints", name, "model")));
        await parted.TrainAsync(stage, resume: true, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(whole.Read("metrics.jsonl"), parted.Read("metrics.jsonl"));
        Assert.Equal(whole.Read("completions.jsonl"), parted.Read("completions.jsonl"));
        Assert.Equal(whole.Read("checkpoints", name, "model", "model.safetensors"), parted.Read("checkpoints", name, "model", "model.safetensors"));
    }

    [Fact]
    public async Task A_damaged_checkpoint_is_told_and_the_one_before_it_taken()
    {
        using MiniRun whole = new(), parted = new();
        string[] overrides = ["checkpoints.every=1", "checkpoints.keep=3"];
        await whole.TrainAsync(TrainStage.Zero, overrides: overrides, cancellationToken: TestContext.Current.CancellationToken);
        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => parted.TrainAsync(TrainStage.Zero, new CancelAfter(3, source), overrides: overrides, cancellationToken: source.Token));

        string weights = parted.Path("checkpoints", "zero", "checkpoint-3", "model.safetensors");
        byte[] bytes = File.ReadAllBytes(weights);
        bytes[^100] ^= 1;
        File.WriteAllBytes(weights, bytes);
        var heard = new Messages();
        await parted.TrainAsync(TrainStage.Zero, heard, resume: true, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Contains(heard.Texts, text => text.Contains("checkpoint-3", StringComparison.Ordinal) && text.Contains("damaged", StringComparison.Ordinal));
        Assert.Equal(whole.Read("metrics.jsonl"), parted.Read("metrics.jsonl"));
        Assert.Equal(whole.Read("checkpoints", "zero", "model", "model.safetensors"), parted.Read("checkpoints", "zero", "model", "model.safetensors"));
    }

    [Fact]
    public async Task A_finished_run_is_not_run_again()
    {
        using var run = new MiniRun();
        await run.TrainAsync(TrainStage.Zero, cancellationToken: TestContext.Current.CancellationToken);
        byte[] metrics = run.Read("metrics.jsonl"), results = run.Read("results.json");
        await run.TrainAsync(TrainStage.Zero, resume: true, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(metrics, run.Read("metrics.jsonl"));
        Assert.Equal(results, run.Read("results.json"));
    }

    [Fact]
    public async Task A_run_does_not_go_on_with_other_settings()
    {
        using var run = new MiniRun();
        await run.TrainAsync(TrainStage.ColdStart, cancellationToken: TestContext.Current.CancellationToken);
        var failure = await Assert.ThrowsAsync<R1Exception>(() => DeepSeekR1.Stages.TrainingRun.RunAsync(
            new TrainRequest { Stage = TrainStage.ColdStart, Output = run.Output, Resume = true, Seed = 5 }, SilentObserver.Instance));
        Assert.Contains("the run began with \"seed\": 1, but now \"seed\": 5 is asked for", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_bytes_and_another_seed_does_not()
    {
        using MiniRun first = new(), second = new(), other = new();
        await first.TrainAsync(TrainStage.Zero, cancellationToken: TestContext.Current.CancellationToken);
        await second.TrainAsync(TrainStage.Zero, cancellationToken: TestContext.Current.CancellationToken);
        await other.TrainAsync(TrainStage.Zero, overrides: ["seed=2"], cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(first.Read("metrics.jsonl"), second.Read("metrics.jsonl"));
        Assert.NotEqual(first.Read("metrics.jsonl"), other.Read("metrics.jsonl"));
    }

    // Slow: a learning claim needs some steps of the real size.
    [Fact, Trait("Category", "Slow")]
    public async Task Pure_reinforcement_learning_teaches_the_base_model_to_reason()
    {
        using var run = new MiniRun();
        await run.TrainAsync(TrainStage.Zero, overrides:
            ["runtime.threads=0", "zero.grpo.steps=40", "zero.grpo.promptsPerStep=16", "zero.grpo.groupSize=16", "zero.evaluateEvery=40",
             "data.world.testProblems=128", "evaluation.samples=4", "evaluation.consensusSamples=0"], cancellationToken: TestContext.Current.CancellationToken);
        using var results = JsonDocument.Parse(run.Read("results.json"));
        var rows = results.RootElement.GetProperty("rows").EnumerateArray().ToDictionary(row => row.GetProperty("name").GetString()!);
        double Of(string row, string column) => rows[row].GetProperty(column).GetDouble();
        Assert.True(Of("zero", "accuracy") >= Of("base", "accuracy") + 0.4, $"accuracy {Of("base", "accuracy"):0.000} → {Of("zero", "accuracy"):0.000}");
        Assert.True(Of("zero", "length") >= 1.3 * Of("base", "length"), $"length {Of("base", "length"):0.0} → {Of("zero", "length"):0.0}");
    }

    private sealed class Messages : IRunObserver
    {
        public List<string> Texts { get; } = [];

        public void Said(RunMessage message) => Texts.Add(message.Text);

        public void StepDone(StepMetrics step) { }

        public void StageStarted(StageStart stage) { }

        public void WorkDone(WorkProgress work) { }

        public void RowMeasured(ResultRow row) { }

        public void StageEnded(StageEnd stage) { }
    }
}
