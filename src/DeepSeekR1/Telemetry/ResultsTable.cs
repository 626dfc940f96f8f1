using System.Globalization;
using System.Text;
using System.Text.Json;

namespace DeepSeekR1.Telemetry;

/// <summary>One model, measured: a row of <c>results.json</c> and <c>results.md</c>.</summary>
/// <param name="Name">What was measured: <c>zero</c>.</param>
/// <param name="Values">Figures by column; shares between 0 and 1; a column that was not measured is absent.</param>
public sealed record ResultRow(string Name, IReadOnlyDictionary<string, double> Values);

/// <summary>The table that a run ends with.</summary>
public static class ResultsTable
{
    /// <summary>Columns that are no shares: tokens and seconds.</summary>
    private static readonly HashSet<string> _plain = ["length", "tokens", "seconds", "count"];

    /// <summary>The columns of all rows, in the order of their first appearance; seconds last.</summary>
    public static IReadOnlyList<string> Columns(IEnumerable<ResultRow> rows) =>
        [.. rows.SelectMany(row => row.Values.Keys).Distinct().OrderBy(column => column == "seconds")];

    /// <summary>A cell as people read it: shares in percent, lengths and seconds as they are, a dash where nothing was measured.</summary>
    public static string Cell(ResultRow row, string column) =>
        !row.Values.TryGetValue(column, out double value) || !double.IsFinite(value) ? "–"
        : _plain.Contains(column) ? value.ToString(Math.Abs(value) < 10 ? "0.0" : "0", CultureInfo.InvariantCulture)
        : (value * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    internal static string ToMarkdown(IReadOnlyList<ResultRow> rows)
    {
        var columns = Columns(rows);
        var table = new StringBuilder();
        AppendLine(table, ["", .. columns]);
        AppendLine(table, ["---", .. columns.Select(_ => "---:")]);
        foreach (var row in rows) AppendLine(table, [row.Name, .. columns.Select(column => Cell(row, column))]);
        return table.ToString();
    }

    internal static string ToJson(IReadOnlyList<ResultRow> rows)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("rows");
            foreach (var row in rows)
            {
                writer.WriteStartObject();
                writer.WriteString("name", row.Name);
                foreach (var (column, value) in row.Values) JsonLinesLog.WriteNumber(writer, column, value);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    /// <summary>The rows that <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">It wrote something else.</exception>
    internal static IReadOnlyList<ResultRow> FromJson(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return [.. document.RootElement.GetProperty("rows").EnumerateArray().Select(row => new ResultRow(
                row.GetProperty("name").GetString()!,
                new OrderedDictionary<string, double>(row.EnumerateObject().Where(figure => figure.Name != "name")
                    .Select(figure => KeyValuePair.Create(figure.Name, figure.Value.ValueKind == JsonValueKind.Null ? double.NaN : figure.Value.GetDouble())))))];
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException(broken.Message, broken);
        }
    }

    private static void AppendLine(StringBuilder table, IEnumerable<string> cells) =>
        table.Append("| ").AppendJoin(" | ", cells.Select(Escape)).Append(" |\n");

    private static string Escape(string cell) => cell.Replace("\\", "\\\\").Replace("|", "\\|").Replace("<", "&lt;").ReplaceLineEndings(" ");
}
