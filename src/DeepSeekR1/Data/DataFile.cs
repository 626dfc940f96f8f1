using System.Text;
using System.Text.Json;

namespace DeepSeekR1.Data;

/// <summary>
/// Reads the rows of a data file one by one: JSON Lines (<c>.jsonl</c>), or question TAB answer without header or quoting
/// (<c>.tsv</c>); either may be gzipped. Blank lines are passed over.
/// </summary>
public static class DataFile
{
    /// <summary>The rows in the file's order; a file is never held as a whole.</summary>
    /// <exception cref="R1Exception">The file is absent, unreadable, or has a broken line; names file, line and remedy.</exception>
    public static IEnumerable<DataRow> Read(string path) => IsTabSeparated(path) ? ReadTabSeparated(path) : JsonlReader.Read(path);

    private static bool IsTabSeparated(string path) =>
        path.EndsWith(".tsv", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".tsv.gz", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<DataRow> ReadTabSeparated(string path)
    {
        foreach (var line in LineReader.Read(path))
        {
            string text = Encoding.UTF8.GetString(line.Bytes.Span);
            if (string.IsNullOrWhiteSpace(text)) continue;
            if (text.Split('\t') is not [var question, var answer])
                throw new R1Exception($"{path}, line {line.Number}: expected a question, a tab and an answer, found {text.Count(c => c == '\t')} tabs.");
            yield return new DataRow(path, line.Number, JsonSerializer.SerializeToElement(new { question, answer }));
        }
    }
}

/// <summary>Reads JSON Lines: one object a line.</summary>
public static class JsonlReader
{
    /// <summary>The objects in the file's order; a file is never held as a whole.</summary>
    /// <exception cref="R1Exception">The file is absent, unreadable, or has a broken line; names file, line and remedy.</exception>
    public static IEnumerable<DataRow> Read(string path)
    {
        foreach (var line in LineReader.Read(path))
            if (line.Bytes.Span.ContainsAnyExcept(" \t"u8))
                yield return new DataRow(path, line.Number, Parse(path, line));
    }

    private static JsonElement Parse(string path, FileLine line)
    {
        JsonElement row;
        try
        {
            row = JsonElement.Parse(line.Bytes.Span);
        }
        catch (JsonException e)
        {
            throw new R1Exception($"{path}, line {line.Number}: not valid JSON at column {e.BytePositionInLine + 1}. Expected one JSON object a line.", e);
        }
        return row.ValueKind == JsonValueKind.Object ? row
            : throw new R1Exception($"{path}, line {line.Number}: {DataRow.Describe(row)}. Expected one JSON object a line.");
    }
}
