using System.Text.Json;

namespace DeepSeekR1.Text;

/// <summary>How a conversation is rendered.</summary>
public sealed record ChatTemplateOptions
{
    /// <summary>Whether the opening of the assistant's turn follows the conversation.</summary>
    public bool AddGenerationPrompt { get; init; }

    /// <summary>Whether the last message stays open: the text ends with it, so that the model continues it.</summary>
    public bool ContinueFinalMessage { get; init; }

    /// <summary>An array of tool definitions in JSON schema, or null without tools.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Whether a hybrid model is to reason; null leaves it to the template.</summary>
    public bool? EnableThinking { get; init; }

    /// <summary>Further variables that the template reads.</summary>
    public IReadOnlyDictionary<string, JsonElement> Variables { get; init; } = new Dictionary<string, JsonElement>();
}

/// <summary>A rendered conversation.</summary>
/// <param name="Text">The text.</param>
/// <param name="AssistantSpans">
/// Ranges of <paramref name="Text"/> that the assistant wrote, where the template marks them with <c>{% generation %}</c>; else empty.
/// </param>
public sealed record RenderedChat(string Text, IReadOnlyList<Range> AssistantSpans);
