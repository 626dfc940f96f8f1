using DeepSeekR1.Configuration;
using DeepSeekR1.Stages;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Tests.Stages;

/// <summary>A run of the embedded recipe made small, in a folder of its own that is removed with it.</summary>
internal sealed class MiniRun : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-run-");

    /// <summary>Settings that make every stage a matter of a second; later ones win.</summary>
    private static readonly string[] _small =
    [
        "runtime.threads=1", "runtime.device=cpu",
        "data.world.validationProblems=8", "data.world.testProblems=8", "data.world.longerProblems=4",
        "evaluation.samples=2", "evaluation.consensusSamples=2",
        "zero.grpo.steps=4", "zero.grpo.promptsPerStep=4", "zero.grpo.groupSize=4", "zero.evaluateEvery=2",
        "reasoningRl.grpo.steps=3", "reasoningRl.grpo.promptsPerStep=4", "reasoningRl.grpo.groupSize=4", "reasoningRl.evaluateEvery=0",
        "data.world.chatPrompts=24", "rejectionSft.curation.prompts=8", "rejectionSft.curation.samples=4", "rejectionSft.curation.filters=[]", "rejectionSft.generalExamples=24",
        "rejectionSft.sft.epochs=1", "rewardModel.chats=6", "rewardModel.heldOutChats=4", "rewardModel.samples=2", "rewardModel.maxPairs=128", "rewardModel.helpful.epochs=1",
        "rewardModel.safety.epochs=1", "allScenarioRl.grpo.steps=4", "allScenarioRl.grpo.promptsPerStep=4", "allScenarioRl.grpo.groupSize=4", "allScenarioRl.evaluateEvery=2",
        "distill.curation.prompts=8", "distill.curation.filters=[]", "distill.generalPrompts=8", "distill.sft.epochs=1", "distill.studentRl.grpo.steps=2",
        "distill.studentRl.grpo.promptsPerStep=4", "distill.studentRl.grpo.groupSize=4", "distill.studentRl.evaluateEvery=0",
        "coldStart.examples=48", "pretrain.sft.steps=6", "pretrain.sft.batchTokens=512", "pretrain.sft.maxLength=192", "checkpoints.every=0",
    ];

    public string Output => System.IO.Path.Combine(_folder.FullName, "run");

    public string Path(params string[] parts) => System.IO.Path.Combine([Output, .. parts]);

    public byte[] Read(params string[] parts) => File.ReadAllBytes(Path(parts));

    public async Task TrainAsync(
        TrainStage stage, IRunObserver? observer = null, bool resume = false, string config = "mini", string[]? overrides = null, CancellationToken cancellationToken = default)
    {
        var request = new TrainRequest { Stage = stage, Config = resume ? null : config, Overrides = resume ? [] : [.. _small, .. overrides ?? []], Output = Output, Resume = resume };
        await TrainingRun.RunAsync(request, observer ?? SilentObserver.Instance, cancellationToken: cancellationToken);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}

/// <summary>Cancels a run after so many steps.</summary>
internal sealed class CancelAfter(int steps, CancellationTokenSource source) : IRunObserver
{
    private int _steps;

    public void StepDone(StepMetrics step)
    {
        if (++_steps == steps) source.Cancel();
    }

    public void StageStarted(StageStart stage) { }

    public void WorkDone(WorkProgress work) { }

    public void RowMeasured(ResultRow row) { }

    public void Said(RunMessage message) { }

    public void StageEnded(StageEnd stage) { }
}
