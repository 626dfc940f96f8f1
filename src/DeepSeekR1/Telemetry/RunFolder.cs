using System.Text.Json;
using System.Text.Json.Nodes;
using DeepSeekR1.Configuration;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Telemetry;

/// <summary>
/// The folder that is the truth of a run: <c>config.json</c>, <c>metrics.jsonl</c>, <c>completions.jsonl</c>, <c>results.json</c>,
/// <c>results.md</c>, <c>curve.svg</c>, and <c>checkpoints/</c>. One process at a time holds it. Whole files are replaced
/// atomically; files that grow are cut back to a checkpoint's <see cref="LogLengths"/> when a run goes on. Not thread-safe.
/// </summary>
public sealed class RunFolder : IDisposable
{
    private static readonly JsonSerializerOptions _readable = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const string LockName = ".lock";

    private readonly FileStream _lock;
    private readonly JsonLinesLog _metrics, _completions, _timings;
    private readonly List<ResultRow> _rows = [];

    private RunFolder(string path, FileStream held)
    {
        (FolderPath, _lock) = (path, held);
        (_metrics, _completions, _timings) = (new JsonLinesLog(MetricsFile), new JsonLinesLog(CompletionsFile), new JsonLinesLog(Path.Combine(path, "timings.jsonl")));
    }

    /// <summary>The folder.</summary>
    public string FolderPath { get; }

    /// <summary>The resolved config, as <see cref="ConfigReader"/> reads it.</summary>
    public string ConfigFile => Path.Combine(FolderPath, "config.json");

    /// <summary>One flat object a step.</summary>
    public string MetricsFile => Path.Combine(FolderPath, "metrics.jsonl");

    /// <summary>One object a completion.</summary>
    public string CompletionsFile => Path.Combine(FolderPath, "completions.jsonl");

    /// <summary>Where stages keep their checkpoints and models.</summary>
    public string CheckpointsFolder => Path.Combine(FolderPath, "checkpoints");

    /// <summary>The rows measured so far, those of a resumed run included.</summary>
    public IReadOnlyList<ResultRow> Rows => _rows;

    /// <summary>Makes a folder for a new run.</summary>
    /// <exception cref="R1Exception">It cannot be written, another run holds it, or there is something in it.</exception>
    public static RunFolder Create(string path)
    {
        bool isEmpty = IsEmpty(path);
        // Somebody else's folder is left untouched, without even a lock file; a folder with one may be in use, which is the better thing to say.
        var held = isEmpty || HoldsRun(path) ? Hold(path) : null;
        if (isEmpty) return Open(path, held!);
        held?.Dispose();
        throw new R1Exception($"output folder '{path}' is not empty; {(HoldsRun(path) ? "go on with the run in it by --resume, or choose" : "choose")} another --output.");
    }

    /// <summary>Opens the folder of a run that goes on; makes it where there is none yet.</summary>
    /// <exception cref="R1Exception">It cannot be written, another run holds it, it holds something else than a run, or its results are damaged.</exception>
    public static RunFolder Resume(string path)
    {
        if (!IsEmpty(path) && !HoldsRun(path))
            throw new R1Exception($"output folder '{path}' holds no run that could go on, but other files; choose another --output.");
        var folder = Open(path, Hold(path));
        try
        {
            folder.ReadRows();
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>The first of <c>NAME-1</c>, <c>NAME-2</c>, … within a folder that does not exist.</summary>
    public static string NextFree(string parent, string name)
    {
        int number = 1;
        while (Path.Exists(Path.Combine(parent, $"{name}-{number}"))) number++;
        return Path.Combine(parent, $"{name}-{number}");
    }

    /// <summary>Writes the resolved config, with a line above it that tells what follows from it; the line is a comment.</summary>
    public void WriteConfig(object config, string? remark = null) =>
        AtomicFile.WriteText(ConfigFile, (remark is null ? "" : $"// {remark.ReplaceLineEndings(" ")}\n") + ConfigWriter.Write(config));

    /// <summary>Writes what the run starts from.</summary>
    public void WriteModel(JsonObject model) => AtomicFile.WriteText(Path.Combine(FolderPath, "model.json"), model.ToJsonString(_readable));

    /// <summary>Appends a step's numbers.</summary>
    public void Append(StepMetrics step) => _metrics.Append(writer =>
    {
        writer.WriteString("stage", step.Stage);
        writer.WriteNumber("step", step.Step);
        foreach (var (name, value) in step.Values) JsonLinesLog.WriteNumber(writer, name, value);
    });

    /// <summary>Appends where a step's time went, in seconds by phase, and what judges spent to <c>timings.jsonl</c>: apart from the metrics, which are the same in every run of a seed.</summary>
    public void AppendTiming(string stage, int step, IEnumerable<KeyValuePair<string, double>> seconds) => _timings.Append(writer =>
    {
        writer.WriteString("stage", stage);
        writer.WriteNumber("step", step);
        foreach (var (phase, value) in seconds) JsonLinesLog.WriteNumber(writer, phase, value);
    });

    /// <summary>Appends a completion.</summary>
    public void Append(CompletionRecord record) => _completions.Append(writer =>
    {
        writer.WriteString("stage", record.Stage);
        writer.WriteNumber("step", record.Step);
        writer.WriteString("prompt_id", record.Prompt.Id);
        writer.WriteString("prompt", record.Prompt.Text);
        writer.WriteString("text", record.Completion.Text);
        writer.WriteNumber("tokens", record.Completion.TokenCount);
        writer.WriteBoolean("truncated", record.Completion.IsTruncated);
        writer.WriteStartObject("rewards");
        foreach (var (name, score) in record.Rewards) JsonLinesLog.WriteNumber(writer, name, score.Value);
        writer.WriteEndObject();
        writer.WriteStartObject("reasons");
        foreach (var (name, score) in record.Rewards)
            if (score.Reason is { } reason) writer.WriteString(name, reason);
        writer.WriteEndObject();
        JsonLinesLog.WriteNumber(writer, "reward", record.Reward);
        JsonLinesLog.WriteNumber(writer, "advantage", record.Advantage);
    });

    /// <summary>Adds a row to the results, or replaces the one of its name, and writes <c>results.json</c> and <c>results.md</c>.</summary>
    public void Add(ResultRow row)
    {
        int known = _rows.FindIndex(existing => existing.Name == row.Name);
        if (known < 0) _rows.Add(row);
        else _rows[known] = row;
        AtomicFile.WriteText(ResultsFile, ResultsTable.ToJson(_rows));
        AtomicFile.WriteText(Path.Combine(FolderPath, "results.md"), ResultsTable.ToMarkdown(_rows));
    }

    /// <summary>Writes a picture, such as <c>curve.svg</c>.</summary>
    public void WriteCurve(string svg, string fileName = "curve.svg") => AtomicFile.WriteText(Path.Combine(FolderPath, fileName), svg);

    /// <summary>The metrics appended so far, in order: what curves are drawn from.</summary>
    /// <exception cref="R1Exception">A line is damaged.</exception>
    public IReadOnlyList<StepMetrics> ReadMetrics()
    {
        var steps = new List<StepMetrics>();
        using var file = new FileStream(MetricsFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        while (reader.ReadLine() is { } line) steps.Add(ParseMetrics(line, steps.Count + 1));
        return steps;
    }

    /// <summary>Brings the growing files to the disk and says how long they are: a checkpoint keeps this.</summary>
    public LogLengths SyncLogs()
    {
        _metrics.Sync();
        _completions.Sync();
        return new LogLengths(_metrics.Length, _completions.Length);
    }

    /// <summary>Takes away what was appended after a checkpoint; <c>default</c> when there is none.</summary>
    /// <exception cref="R1Exception">A file is shorter than it was then.</exception>
    public void RewindLogs(LogLengths lengths)
    {
        _metrics.TruncateTo(lengths.Metrics);
        _completions.TruncateTo(lengths.Completions);
    }

    /// <summary>Lets the folder go.</summary>
    public void Dispose()
    {
        _metrics.Dispose();
        _completions.Dispose();
        _timings.Dispose();
        _lock.Dispose();
    }

    private static bool HoldsRun(string path) => File.Exists(Path.Combine(path, LockName)) || File.Exists(Path.Combine(path, "config.json"));

    private static bool IsEmpty(string path)
    {
        try
        {
            return !Directory.Exists(path) || Directory.EnumerateFileSystemEntries(path).All(entry => Path.GetFileName(entry) == LockName);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, failure);
        }
    }

    private string ResultsFile => Path.Combine(FolderPath, "results.json");

    private static RunFolder Open(string path, FileStream held)
    {
        try
        {
            return new RunFolder(path, held);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            held.Dispose();
            throw Unwritable(path, failure);
        }
    }

    /// <summary>The lock file stays when the run ends: deleting it could take a lock from under the next run.</summary>
    private static FileStream Hold(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
            return new FileStream(Path.Combine(path, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure) when (IsHeldByAnother(failure))
        {
            throw new R1Exception($"output folder '{path}' is in use by another run; wait for it or choose another --output.", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, failure);
        }
    }

    /// <summary>ERROR_SHARING_VIOLATION on Windows, EWOULDBLOCK on Linux and macOS.</summary>
    private static bool IsHeldByAnother(IOException failure) => failure.HResult is unchecked((int)0x80070020) or 11 or 35;

    private static R1Exception Unwritable(string path, Exception failure) =>
        new($"output folder '{path}' cannot be written: {failure.Message} Choose another --output.", failure);

    private void ReadRows()
    {
        if (!File.Exists(ResultsFile)) return;
        try
        {
            _rows.AddRange(ResultsTable.FromJson(File.ReadAllBytes(ResultsFile)));
        }
        catch (FormatException broken)
        {
            throw new R1Exception($"'{ResultsFile}' is damaged: {broken.Message} Delete it and go on with --resume.", broken);
        }
    }

    private StepMetrics ParseMetrics(string line, int number)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            var values = new OrderedDictionary<string, double>();
            foreach (var member in root.EnumerateObject())
                if (member.Name is not ("stage" or "step")) values[member.Name] = member.Value.ValueKind == JsonValueKind.Null ? double.NaN : member.Value.GetDouble();
            return new StepMetrics(root.GetProperty("stage").GetString()!, root.GetProperty("step").GetInt32(), values);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new R1Exception($"{MetricsFile}({number}): the line is damaged: {broken.Message}", broken);
        }
    }
}

/// <summary>Bytes of the files of a run that grow, at one moment.</summary>
/// <param name="Metrics">Of <c>metrics.jsonl</c>.</param>
/// <param name="Completions">Of <c>completions.jsonl</c>.</param>
public readonly record struct LogLengths(long Metrics, long Completions);
