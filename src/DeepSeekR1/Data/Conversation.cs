using System.Text.Json;
using DeepSeekR1.Text;

namespace DeepSeekR1.Data;

/// <summary>Reads conversations: <c>role</c> and <c>content</c>, or <c>from</c> and <c>value</c> as in ShareGPT.</summary>
internal static class Conversation
{
    private static readonly Dictionary<string, string> _roles = new()
    {
        ["system"] = "system",
        ["developer"] = "developer",
        ["user"] = "user",
        ["assistant"] = "assistant",
        ["tool"] = "tool",
        ["human"] = "user",
        ["gpt"] = "assistant",
    };

    /// <exception cref="R1Exception">The field is no list of messages; names file, line and message.</exception>
    public static ChatMessage[] Read(DataRow row, string field)
    {
        var value = row.Require(field);
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
            throw row.Error($"field '{field}' is {(value.ValueKind == JsonValueKind.Array ? "an empty list" : DataRow.Describe(value))}",
                """Expected messages, such as [{"role": "user", "content": "…"}].""");
        return [.. value.EnumerateArray().Select((message, i) => Message(row, message, $"{field}[{i}]"))];
    }

    private static ChatMessage Message(DataRow row, JsonElement message, string place)
    {
        if (message.ValueKind != JsonValueKind.Object) throw row.Error($"{place} is {DataRow.Describe(message)}", "Expected role and content.");
        string role = Part("role", "from"), content = Part("content", "value");
        return _roles.TryGetValue(role, out string? known) ? new ChatMessage(known, content)
            : throw row.Error($"{place} has the unknown role '{role}'", $"Known roles are {string.Join(", ", _roles.Keys)}.");

        string Part(string name, string alias)
        {
            if (!message.TryGetProperty(name, out var part) && !message.TryGetProperty(alias, out part))
                throw row.Error($"{place} has no '{name}'", "Expected role and content.");
            return row.TextOf(part, $"{place}.{name}");
        }
    }
}
