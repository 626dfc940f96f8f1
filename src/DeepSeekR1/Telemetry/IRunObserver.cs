namespace DeepSeekR1.Telemetry;

/// <summary>
/// Hears what a run does, as it does it. Calls come one at a time but from any thread; they return at once and never throw. What
/// lasts is in the run folder; an observer only shows it.
/// </summary>
public interface IRunObserver
{
    /// <summary>A stage begins, or goes on after <see cref="StageStart.StepsDone"/> steps.</summary>
    void StageStarted(StageStart stage);

    /// <summary>A step is done.</summary>
    void StepDone(StepMetrics step);

    /// <summary>A part of other work (an evaluation, a data set that is read) is done.</summary>
    void WorkDone(WorkProgress work);

    /// <summary>A row of the results table is known.</summary>
    void RowMeasured(ResultRow row);

    /// <summary>Something to tell the user.</summary>
    void Said(RunMessage message);

    /// <summary>A stage is done.</summary>
    void StageEnded(StageEnd stage);
}

/// <summary>A stage begins.</summary>
/// <param name="Stage">Its name: <c>zero</c>.</param>
/// <param name="StepsDone">Steps that an earlier run has done.</param>
/// <param name="TotalSteps">Steps it has altogether.</param>
/// <param name="Summary">One line: what is trained on what.</param>
public sealed record StageStart(string Stage, int StepsDone, int TotalSteps, string Summary);

/// <summary>One line of <c>metrics.jsonl</c>.</summary>
/// <param name="Stage">The stage's name.</param>
/// <param name="Step">Steps done, this one included; from 1.</param>
/// <param name="Values">Numbers by TRL's names; docs/metrics.md explains each.</param>
public sealed record StepMetrics(string Stage, int Step, IReadOnlyDictionary<string, double> Values);

/// <summary>How far a piece of work between steps is.</summary>
/// <param name="Name">What is done: <c>evaluating zero</c>.</param>
/// <param name="Done">Parts done.</param>
/// <param name="Total">Parts altogether.</param>
public sealed record WorkProgress(string Name, int Done, int Total);

/// <summary>How loud a message is.</summary>
public enum MessageLevel
{
    /// <summary>Good to know.</summary>
    Information,
    /// <summary>The run goes on, but something deserves a look.</summary>
    Warning,
}

/// <summary>Something to tell the user.</summary>
/// <param name="Level">How loud.</param>
/// <param name="Text">One sentence.</param>
public sealed record RunMessage(MessageLevel Level, string Text);

/// <summary>A stage is done.</summary>
/// <param name="Stage">Its name.</param>
/// <param name="Elapsed">Time it took in this run.</param>
/// <param name="ModelFolder">Where its model was saved; null where it made none.</param>
public sealed record StageEnd(string Stage, TimeSpan Elapsed, string? ModelFolder);

/// <summary>Hears nothing: for library users who read the run folder, and for tests.</summary>
public sealed class SilentObserver : IRunObserver
{
    /// <summary>The one there is.</summary>
    public static SilentObserver Instance { get; } = new();

    private SilentObserver() { }

    /// <inheritdoc/>
    public void StageStarted(StageStart stage) { }

    /// <inheritdoc/>
    public void StepDone(StepMetrics step) { }

    /// <inheritdoc/>
    public void WorkDone(WorkProgress work) { }

    /// <inheritdoc/>
    public void RowMeasured(ResultRow row) { }

    /// <inheritdoc/>
    public void Said(RunMessage message) { }

    /// <inheritdoc/>
    public void StageEnded(StageEnd stage) { }
}
