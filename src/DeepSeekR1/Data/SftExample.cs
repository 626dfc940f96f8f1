using DeepSeekR1.Text;

namespace DeepSeekR1.Data;

/// <summary>One example of supervised fine-tuning: something given, and the continuation to be learned.</summary>
/// <param name="Id">Names the example within its data set, e.g. <c>gsm8k_train.jsonl:17</c>.</param>
public abstract record SftExample(string Id)
{
    /// <summary>A single question and its answer, for a chat model.</summary>
    public static ChatExample Chat(string id, string question, string answer) =>
        new(id, [new ChatMessage("user", question)], [new ChatMessage("assistant", answer)]);
}

/// <summary>A conversation, rendered with the model's chat template.</summary>
/// <param name="Id">Names the example.</param>
/// <param name="Prompt">The turns that are given and carry no loss; empty: the whole conversation is learned.</param>
/// <param name="Completion">The turns to be learned.</param>
public sealed record ChatExample(string Id, IReadOnlyList<ChatMessage> Prompt, IReadOnlyList<ChatMessage> Completion) : SftExample(Id);

/// <summary>Plain text that no template touches; the end token follows the completion.</summary>
/// <param name="Id">Names the example.</param>
/// <param name="Prompt">The beginning that is given and carries no loss; empty: the whole text is learned.</param>
/// <param name="Completion">What follows the prompt, its separating space included.</param>
public sealed record TextExample(string Id, string Prompt, string Completion) : SftExample(Id);
