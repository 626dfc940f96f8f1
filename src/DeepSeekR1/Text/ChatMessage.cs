using System.Text.Json;

namespace DeepSeekR1.Text;

/// <summary>One turn of a conversation.</summary>
/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="Content">The turn's text.</param>
public sealed record ChatMessage(string Role, string Content)
{
    /// <summary>An assistant's reasoning where it is kept apart from the content; templates see it as <c>reasoning_content</c>.</summary>
    public string? ReasoningContent { get; init; }

    /// <summary>
    /// An assistant's calls of tools, as in the chat format of hosted models:
    /// <c>[{"type": "function", "function": {"name": ..., "arguments": {...}}}]</c>.
    /// </summary>
    public JsonElement? ToolCalls { get; init; }
}
