using DeepSeekR1.Configuration;

namespace DeepSeekR1.Tests.Stages;

public sealed class BadInputTests : IDisposable
{
    private readonly MiniRun _run = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-bad-");

    public static TheoryData<string[], string> Mistakes => new()
    {
        { ["model.path=/no/such/folder"], "/no/such/folder: no such folder or file. Give a model folder" },
        { ["model.path=embedded:maxi-base"], "There is no embedded model 'maxi-base'; did you mean 'mini-base'?" },
        { ["zero.grpo.step=4"], "zero.grpo.step: no such setting; did you mean 'steps'?" },
        { ["zero.grpo.steps=many"], "zero.grpo.steps: expected" },
        { ["zero.grpo.groupSize=1"], "zero.grpo.groupSize: must be at least 2" },
        { ["zero.grpo.sampling.temperature=0"], "zero.grpo.sampling: must not be greedy" },
        { ["zero.rewards=[\"acuracy\"]"], "zero.rewards: names no reward: there is no reward 'acuracy'" },
        { ["data.prompts.path=/no/such/file.jsonl"], "/no/such/file.jsonl" },
        { ["zero.grpo.sampling.maxNewTokens=5000", "data.world.longestChain=7", "evaluation.sampling.maxNewTokens=0"], "maxNewTokens: must be at least 1, but is 0." },
    };

    [Theory, MemberData(nameof(Mistakes))]
    public async Task A_mistake_is_one_clear_message_before_any_work(string[] overrides, string message)
    {
        var failure = await Assert.ThrowsAsync<R1Exception>(() => _run.TrainAsync(TrainStage.Zero, overrides: overrides));
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_run.Path("metrics.jsonl")) && new FileInfo(_run.Path("metrics.jsonl")).Length > 0);
    }

    [Theory]
    [InlineData("{\"question\": \"1+1\", \"answer\": \"2\"}\n{\"question\": ", "line 2: not valid JSON")]
    [InlineData("", "no rows")]
    [InlineData("{\"question\": \"1+1\"}\n", "no field for the reference answer")]
    public async Task A_broken_data_set_names_its_line(string content, string message)
    {
        string file = Path.Combine(_folder.FullName, "data.jsonl");
        File.WriteAllText(file, content);
        var failure = await Assert.ThrowsAsync<R1Exception>(() => _run.TrainAsync(TrainStage.Zero, overrides: [$"data.prompts.path={file}"]));
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.Contains("data.jsonl", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_prompt_longer_than_the_context_is_named()
    {
        string file = Path.Combine(_folder.FullName, "long.jsonl");
        File.WriteAllText(file, $"{{\"question\": \"{string.Concat(Enumerable.Repeat("tom has ", 300))}\", \"answer\": \"2\"}}\n");
        var failure = await Assert.ThrowsAsync<R1Exception>(() => _run.TrainAsync(TrainStage.Zero, overrides: [$"data.prompts.path={file}"]));
        Assert.Contains("long.jsonl:1' is ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("context of 192", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Steps_without_any_signal_end_the_run_with_advice()
    {
        var failure = await Assert.ThrowsAsync<R1Exception>(() => _run.TrainAsync(
            TrainStage.Zero, overrides: ["zero.rewards=[\"accuracy:weight=0\"]", "zero.grpo.toleratedStepsWithoutSignal=3"]));
        Assert.Contains("No group had two different scores in 3 steps in a row", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_learning_rate_that_destroys_the_model_ends_the_run_before_it_is_saved()
    {
        var failure = await Assert.ThrowsAsync<R1Exception>(() => _run.TrainAsync(
            TrainStage.ColdStart, overrides: ["coldStart.sft.optimizer.learningRate=10", "coldStart.sft.optimizer.weightDecay=10", "coldStart.sft.epochs=60", "coldStart.sft.optimizer.maxGradNorm=0"]));
        Assert.Contains("NaN or infinite", failure.Message, StringComparison.Ordinal);
        Assert.Contains("learningRate", failure.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_run.Path("checkpoints", "cold-start", "model")));
    }

    [Fact]
    public async Task All_scenarios_need_reward_models()
    {
        var failure = await Assert.ThrowsAsync<R1Exception>(() => _run.TrainAsync(TrainStage.AllScenarioRl));
        Assert.Contains("run the stage reward-model with the same --output first, or set allScenarioRl.helpfulModel", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Distillation_needs_a_student()
    {
        var failure = await Assert.ThrowsAsync<R1Exception>(() => _run.TrainAsync(TrainStage.Distill, overrides: ["distill.student=null"]));
        Assert.Contains("set distill.student", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Filters_that_no_sample_passes_are_named_with_what_they_dropped()
    {
        var failure = await Assert.ThrowsAsync<R1Exception>(() => _run.TrainAsync(TrainStage.RejectionSft, overrides: ["rejectionSft.curation.filters=[\"tag_count\",\"format\"]", "rejectionSft.curation.prompts=1"]));
        Assert.Contains("None of 4 samples passed the filters of rejection-sft", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_with_a_run_in_it_is_not_overwritten()
    {
        await _run.TrainAsync(TrainStage.ColdStart);
        byte[] metrics = _run.Read("metrics.jsonl");
        var failure = await Assert.ThrowsAsync<R1Exception>(() => _run.TrainAsync(TrainStage.ColdStart));
        Assert.Contains("is not empty; go on with the run in it by --resume, or choose another --output.", failure.Message, StringComparison.Ordinal);
        Assert.Equal(metrics, _run.Read("metrics.jsonl"));
    }

    public void Dispose()
    {
        _run.Dispose();
        _folder.Delete(recursive: true);
    }
}
