namespace DeepSeekR1.Text;

/// <summary>Renders a conversation as the text that a chat model was trained on.</summary>
public interface IChatTemplate
{
    /// <summary>The conversation as text; with <paramref name="addGenerationPrompt"/> the opening of the assistant's turn follows.</summary>
    /// <exception cref="R1Exception">The template refuses the conversation or is broken; names line and column.</exception>
    string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt);
}
