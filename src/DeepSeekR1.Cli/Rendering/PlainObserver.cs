using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Cli.Rendering;

/// <summary>One line a thing: for logs, pipes and CI. Of fast steps only one is shown every few seconds, and the last.</summary>
internal sealed class PlainObserver : IRunObserver
{
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(5);

    private readonly TextWriter _out;
    private readonly TimeProvider _time;
    private readonly List<ResultRow> _rows = [];
    private StepClock _clock;
    private long? _lastLine;

    private PlainObserver(TextWriter output, TimeProvider time) => (_out, _time, _clock) = (output, time, new StepClock(time, 0, 0));

    /// <summary>Shows the work; when it ends well, the table of its results follows.</summary>
    public static async Task RunAsync(TextWriter output, TimeProvider time, Func<IRunObserver, Task> work)
    {
        var observer = new PlainObserver(output, time);
        await work(observer);
        if (observer._rows.Count > 0) observer.Write("\n" + ResultsText.Align(observer._rows));
    }

    public void StageStarted(StageStart stage)
    {
        _clock = new StepClock(_time, stage.StepsDone, stage.TotalSteps);
        _lastLine = null;
        string resumed = stage.StepsDone > 0 ? $" (goes on after step {stage.StepsDone})" : "";
        Write($"{stage.Stage}: {stage.Summary}{resumed}");
    }

    public void StepDone(StepMetrics step)
    {
        if (IsDue(step.Step >= _clock.TotalSteps)) Write($"{step.Stage} {step.Step}/{_clock.TotalSteps}  {Headline.Of(step.Values)}  {_clock.Describe(step.Step)}");
    }

    public void WorkDone(WorkProgress work)
    {
        if (IsDue(isLast: false)) Write($"{work.Name} {work.Done}/{work.Total}");
    }

    public void RowMeasured(ResultRow row)
    {
        _rows.Add(row);
        Write($"{row.Name}: {string.Join("  ", ResultsTable.Columns([row]).Select(column => $"{column} {ResultsTable.Cell(row, column)}"))}");
    }

    public void Said(RunMessage message) => Write(message.Level == MessageLevel.Warning ? $"warning: {message.Text}" : message.Text);

    public void StageEnded(StageEnd stage) =>
        Write($"{stage.Stage}: done in {StepClock.Format(stage.Elapsed)}{(stage.ModelFolder is { } folder ? $", model in {folder}" : "")}");

    private bool IsDue(bool isLast)
    {
        if (!isLast && _lastLine is { } last && _time.GetElapsedTime(last) < _pause) return false;
        _lastLine = _time.GetTimestamp();
        return true;
    }

    private void Write(string line)
    {
        _out.WriteLine(TerminalText.WithoutControls(line).TrimEnd());
        _out.Flush();
    }
}
