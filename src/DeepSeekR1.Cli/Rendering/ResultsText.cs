using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Cli.Rendering;

/// <summary>The table of results in aligned columns of plain text.</summary>
internal static class ResultsText
{
    public static string Align(IReadOnlyList<ResultRow> rows)
    {
        var columns = ResultsTable.Columns(rows);
        string[][] cells = [["", .. columns], .. rows.Select(row => (string[])[row.Name, .. columns.Select(column => ResultsTable.Cell(row, column))])];
        int[] widths = [.. Enumerable.Range(0, columns.Count + 1).Select(i => cells.Max(line => line[i].Length))];
        return string.Join('\n', cells.Select(line => string.Join("  ", line.Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i])))));
    }
}
