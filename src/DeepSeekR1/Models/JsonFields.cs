using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeepSeekR1.Models;

/// <summary>Reads fields of a JSON object; a wrong type is an error that names the file, the field, and what was found.</summary>
internal sealed class JsonFields(JsonObject json, string file, string path = "")
{
    public JsonObject Json => json;

    /// <exception cref="R1Exception">The text is no JSON object.</exception>
    public static JsonFields Parse(string text, string file)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { MaxDepth = 32, AllowDuplicateProperties = false }) is JsonObject root
                ? new JsonFields(root, file) : throw new R1Exception($"{file}: must be a JSON object.");
        }
        catch (JsonException error)
        {
            throw new R1Exception($"{file}: not valid JSON at line {error.LineNumber + 1}, position {error.BytePositionInLine + 1}.", error);
        }
    }

    /// <exception cref="R1Exception">The file cannot be read or is no JSON object.</exception>
    public static JsonFields ParseFile(string path) => Parse(ReadText(path), path);

    /// <exception cref="R1Exception">The file cannot be read.</exception>
    public static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new R1Exception($"{path}: cannot be read: {error.Message}", error);
        }
    }

    public R1Exception Error(string what) => new($"{file}: {what}.");

    public bool Has(string name) => json[name] is not null;

    public int Integer(string name) => OptionalInteger(name) ?? throw Missing(name);

    public int Integer(string name, int whenAbsent) => OptionalInteger(name) ?? whenAbsent;

    public int? OptionalInteger(string name)
    {
        if (json[name] is not { } node) return null;
        return node is JsonValue value && value.TryGetValue(out int number) ? number : throw Wrong(name, "an integer", node);
    }

    public double Number(string name) => OptionalNumber(name) ?? throw Missing(name);

    public double Number(string name, double whenAbsent) => OptionalNumber(name) ?? whenAbsent;

    public double? OptionalNumber(string name)
    {
        if (json[name] is not { } node) return null;
        return node is JsonValue value && value.TryGetValue(out double number) ? number : throw Wrong(name, "a number", node);
    }

    public bool Flag(string name, bool whenAbsent = false)
    {
        if (json[name] is not { } node) return whenAbsent;
        return node is JsonValue value && value.TryGetValue(out bool flag) ? flag : throw Wrong(name, "true or false", node);
    }

    public string? OptionalText(string name)
    {
        if (json[name] is not { } node) return null;
        return node is JsonValue value && value.TryGetValue(out string? text) ? text : throw Wrong(name, "a string", node);
    }

    public JsonFields? OptionalObject(string name)
    {
        if (json[name] is not { } node) return null;
        return node is JsonObject inner ? new JsonFields(inner, file, Full(name) + ".") : throw Wrong(name, "an object", node);
    }

    public JsonArray? OptionalArray(string name)
    {
        if (json[name] is not { } node) return null;
        return node as JsonArray ?? throw Wrong(name, "an array", node);
    }

    public R1Exception Wrong(string name, string wanted, JsonNode found) => Error($"{Full(name)} must be {wanted}, found {Shortened(found.ToJsonString())}");

    private R1Exception Missing(string name) => Error($"{Full(name)} is missing");

    /// <summary>The name with those of the objects around it.</summary>
    public string Full(string name) => path + name;

    private static string Shortened(string text) => text.Length <= 80 ? text : text[..80] + "…";
}
