using System.Text.Json;

namespace DeepSeekR1.Data;

/// <summary>One row of a data file: its fields, and where it stands, for messages.</summary>
/// <param name="File">The file's path as the user gave it.</param>
/// <param name="Line">The line, counted from 1.</param>
/// <param name="Fields">A JSON object.</param>
public readonly record struct DataRow(string File, int Line, JsonElement Fields)
{
    /// <summary>Names the row within its file: <c>train.jsonl:17</c>.</summary>
    public string Id => $"{Path.GetFileName(File)}:{Line}";

    /// <summary>The field's value; null where the row has none or it is JSON's null.</summary>
    public JsonElement? Find(string field) =>
        Fields.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>Whether the row has the field, be it null.</summary>
    internal bool IsPresent(string field) => Fields.TryGetProperty(field, out _);

    /// <summary>The field's value.</summary>
    /// <exception cref="R1Exception">The row has no such field.</exception>
    public JsonElement Require(string field) => Find(field) ?? throw Error($"field '{field}' is missing", $"The row has {FieldNames()}.");

    /// <summary>The field's text.</summary>
    /// <exception cref="R1Exception">The row has no such field, or it is no text.</exception>
    public string RequireText(string field) => TextOf(Require(field), field);

    /// <summary>The text of a value that belongs to this field.</summary>
    internal string TextOf(JsonElement value, string field)
    {
        if (value.ValueKind != JsonValueKind.String) throw Error($"field '{field}' is {Describe(value)}", "Expected a text.");
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new R1Exception($"{File}, line {Line}: field '{field}' has half of a surrogate pair (\\uD800 to \\uDFFF alone). Write whole characters.", e);
        }
    }

    internal R1Exception Error(string problem, string remedy) => new($"{File}, line {Line}: {problem}. {remedy}");

    internal string FieldNames() =>
        Fields.EnumerateObject().Any() ? "the fields " + string.Join(", ", Fields.EnumerateObject().Take(12).Select(field => $"'{field.Name}'")) : "no fields";

    internal static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };
}
