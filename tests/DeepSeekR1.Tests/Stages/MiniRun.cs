using DeepSeekR1.Configuration;
using DeepSeekR1.Stages;
using DeepSeekR1.Telemetry;
using DeepSeekR1.Testing;

namespace DeepSeekR1.Tests.Stages;

/// <summary>A run of the embedded recipe made small, in a folder of its own that is removed with it.</summary>
internal sealed class MiniRun : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-run-");

    public string Output => System.IO.Path.Combine(_folder.FullName, "run");

    public string Path(params string[] parts) => System.IO.Path.Combine([Output, .. parts]);

    public byte[] Read(params string[] parts) => File.ReadAllBytes(Path(parts));

    public async Task TrainAsync(
        TrainStage stage, IRunObserver? observer = null, bool resume = false, string config = "mini", string[]? overrides = null, CancellationToken cancellationToken = default)
    {
        var request = new TrainRequest { Stage = stage, Config = resume ? null : config, Overrides = resume ? [] : [.. SmallRecipe.Settings, .. overrides ?? []], Output = Output, Resume = resume };
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
