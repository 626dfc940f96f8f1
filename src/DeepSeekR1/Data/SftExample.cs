using DeepSeekR1.Text;

namespace DeepSeekR1.Data;

/// <summary>One example of supervised fine-tuning: something given, and the continuation to be learned.</summary>
/// <param name="Id">Names the example within its data set, e.g. <c>gsm8k_train.jsonl:17</c>.</param>
public abstract record SftExample(string Id)
{
    /// <summary>The text of the continuation: of a conversation its last message.</summary>
    public abstract string Answer { get; }

    /// <summary>A single question and its answer, for a chat model.</summary>
    public static ChatExample Chat(string id, string question, string answer) =>
        new(id, [new ChatMessage("user", question)], [new ChatMessage("assistant", answer)]);
}

/// <summary>A conversation, rendered with the model's chat template.</summary>
/// <param name="Id">Names the example.</param>
/// <param name="Prompt">The turns that are given and carry no loss; empty: the whole conversation is learned.</param>
/// <param name="Completion">The turns to be learned.</param>
public sealed record ChatExample(string Id, IReadOnlyList<ChatMessage> Prompt, IReadOnlyList<ChatMessage> Completion) : SftExample(Id)
{
    /// <inheritdoc/>
    public override string Answer => Completion[^1].Content;

    /// <summary>For a model without a chat template: the turns with blank lines between them.</summary>
    internal TextExample AsText() => new(Id, string.Concat(Prompt.Select(turn => turn.Content + "\n\n")), string.Join("\n\n", Completion.Select(turn => turn.Content)));
}

/// <summary>Plain text that no template touches; the end token follows the completion.</summary>
/// <param name="Id">Names the example.</param>
/// <param name="Prompt">The beginning that is given and carries no loss; empty: the whole text is learned.</param>
/// <param name="Completion">What follows the prompt, its separating space included.</param>
public sealed record TextExample(string Id, string Prompt, string Completion) : SftExample(Id)
{
    /// <inheritdoc/>
    public override string Answer => Completion;
}
