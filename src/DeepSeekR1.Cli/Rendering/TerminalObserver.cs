using DeepSeekR1.Telemetry;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DeepSeekR1.Cli.Rendering;

/// <summary>Live progress: a bar a stage with its latest numbers and the time left, messages above, the table of results at the end.</summary>
internal sealed class TerminalObserver : IRunObserver
{
    private readonly IAnsiConsole _console;
    private readonly TimeProvider _time;
    private readonly ProgressContext _progress;
    private readonly List<ResultRow> _rows = [];
    private readonly Dictionary<string, ProgressTask> _work = [];
    private readonly Dictionary<string, (ProgressTask Bar, StepClock Clock)> _stages = [];

    private TerminalObserver(IAnsiConsole console, TimeProvider time, ProgressContext progress) => (_console, _time, _progress) = (console, time, progress);

    /// <summary>Shows the work; when it ends well, the table of its results follows.</summary>
    public static async Task RunAsync(IAnsiConsole console, TimeProvider time, Func<IRunObserver, Task> work)
    {
        List<ResultRow> rows = [];
        await console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new DetailColumn())
            .StartAsync(async progress =>
            {
                var observer = new TerminalObserver(console, time, progress);
                await work(observer);
                rows = observer._rows;
            });
        if (rows.Count > 0) console.Write(ToTable(rows));
    }

    public void StageStarted(StageStart stage)
    {
        Say($"[bold]{Clean(stage.Stage)}[/] {Clean(stage.Summary)}");
        var bar = _progress.AddTask($"[bold]{Clean(stage.Stage)}[/]", autoStart: true, maxValue: Math.Max(1, stage.TotalSteps));
        bar.Value = stage.StepsDone;
        bar.Tag = $"{stage.StepsDone}/{stage.TotalSteps}";
        _stages[stage.Stage] = (bar, new StepClock(_time, stage.StepsDone, stage.TotalSteps));
    }

    public void StepDone(StepMetrics step)
    {
        if (!_stages.TryGetValue(step.Stage, out var stage)) return;
        stage.Bar.Tag = $"{step.Step}/{stage.Clock.TotalSteps}  {Headline.Of(step.Values)}  {stage.Clock.Describe(step.Step)}";
        stage.Bar.Value = step.Step;
    }

    public void WorkDone(WorkProgress work)
    {
        if (!_work.TryGetValue(work.Name, out var bar)) _work[work.Name] = bar = _progress.AddTask(Clean(work.Name));
        (bar.MaxValue, bar.Tag) = (Math.Max(1, work.Total), $"{work.Done}/{work.Total}");
        bar.Value = work.Done;
        if (work.Done < work.Total) return;
        _progress.RemoveTask(bar);
        _work.Remove(work.Name);
    }

    public void RowMeasured(ResultRow row)
    {
        _rows.Add(row);
        Say($"[green]{Clean(row.Name)}[/] {Clean(string.Join("  ", ResultsTable.Columns([row]).Select(column => $"{column} {ResultsTable.Cell(row, column)}")))}");
    }

    public void Said(RunMessage message) => Say(message.Level == MessageLevel.Warning ? $"[yellow]warning:[/] {Clean(message.Text)}" : Clean(message.Text));

    public void StageEnded(StageEnd stage)
    {
        if (_stages.TryGetValue(stage.Stage, out var known)) known.Bar.StopTask();
        Say($"[bold]{Clean(stage.Stage)}[/] done in {StepClock.Format(stage.Elapsed)}{(stage.ModelFolder is { } folder ? $", model in {Clean(folder)}" : "")}");
    }

    private void Say(string markup) => _console.MarkupLine(markup);

    private static string Clean(string text) => Markup.Escape(TerminalText.WithoutControls(text));

    private static Table ToTable(IReadOnlyList<ResultRow> rows)
    {
        var columns = ResultsTable.Columns(rows);
        var table = new Table().Border(TableBorder.Simple).AddColumn("");
        foreach (string column in columns) table.AddColumn(new TableColumn(Clean(column)).RightAligned());
        foreach (var row in rows) table.AddRow([Clean(row.Name), .. columns.Select(column => Clean(ResultsTable.Cell(row, column)))]);
        return table;
    }

    /// <summary>What the bar's tag says, cut to one line.</summary>
    private sealed class DetailColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Spectre.Console.Text(task.Tag as string ?? "") { Overflow = Overflow.Ellipsis };
    }
}
