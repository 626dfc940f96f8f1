using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeepSeekR1.Data;
using DeepSeekR1.Runtime;
using DeepSeekR1.Text;

namespace DeepSeekR1.Stages;

/// <summary>A data set that a run makes for itself, in its folder <c>data</c>: the rows, and a report of how they came about.</summary>
internal sealed class CuratedDataset(RunContext run, string name)
{
    private static readonly JsonSerializerOptions _plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions _indented = new(_plain) { WriteIndented = true };

    /// <summary>The rows, as JSON Lines.</summary>
    public string RowsFile { get; } = run.DataFile($"{name}.jsonl");

    private string ReportFile { get; } = run.DataFile($"{name}.report.json");

    /// <summary>Time that making it took; 0 where it is not made yet.</summary>
    public double Seconds => Report()?["seconds"]?.GetValue<double>() ?? 0;

    /// <summary>True where it is whole.</summary>
    public bool IsMade => Report() is not null;

    /// <summary>The examples to learn from.</summary>
    public IReadOnlyList<SftExample> Examples() => SftDataset.Load(RowsFile);

    /// <summary>Writes rows to learn from, with where each comes from.</summary>
    public void Write(IReadOnlyList<CuratedRow> rows, CurationReport report, double seconds)
    {
        WriteRows(RowsFile, rows.Select(row => new JsonObject
        {
            ["prompt"] = Messages(row.Prompt),
            ["completion"] = Messages([new ChatMessage("assistant", row.Completion)]),
            ["source"] = row.Source.DeepClone(),
        }));
        var dropped = new JsonObject();
        foreach (var (filter, count) in report.Dropped) dropped[filter] = count;
        WriteReport(new JsonObject { ["sampled"] = report.Sampled, ["dropped"] = dropped, ["kept"] = report.Kept, ["other rows"] = rows.Count - report.Kept, ["seconds"] = seconds });
        run.Say($"{name}: {report.Kept} of {report.Sampled} samples kept ({string.Join(", ", report.Dropped.Where(filter => filter.Dropped > 0).Select(filter => $"{filter.Dropped} {filter.Filter}"))}), {rows.Count - report.Kept} other rows; {RowsFile}");
    }

    /// <summary>Writes rows of any shape, and the report that makes the set whole.</summary>
    public void Write(IReadOnlyDictionary<string, IEnumerable<JsonObject>> files, double seconds)
    {
        var counts = new JsonObject();
        foreach (var (file, rows) in files) counts[file] = WriteRows(run.DataFile(file), rows);
        WriteReport(new JsonObject { ["rows"] = counts, ["seconds"] = seconds });
    }

    public static JsonArray Messages(IEnumerable<ChatMessage> turns) => new([.. turns.Select(turn => new JsonObject { ["role"] = turn.Role, ["content"] = turn.Content })]);

    private static int WriteRows(string path, IEnumerable<JsonObject> rows)
    {
        string[] lines = [.. rows.Select(row => row.ToJsonString(_plain))];
        AtomicFile.WriteText(path, string.Concat(lines.Select(line => line + "\n")));
        return lines.Length;
    }

    private void WriteReport(JsonObject report) => AtomicFile.WriteText(ReportFile, report.ToJsonString(_indented) + "\n");

    private JsonNode? Report()
    {
        try
        {
            return File.Exists(ReportFile) ? JsonNode.Parse(File.ReadAllBytes(ReportFile)) : null;
        }
        catch (JsonException broken)
        {
            throw new R1Exception($"{ReportFile} is damaged: {broken.Message} Delete it, and the data set is made again.", broken);
        }
    }
}
