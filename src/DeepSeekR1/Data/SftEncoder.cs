using System.ComponentModel;
using DeepSeekR1.Text;

namespace DeepSeekR1.Data;

/// <summary>Which end of a text that is too long stays.</summary>
public enum Truncation
{
    /// <summary>The beginning stays.</summary>
    KeepStart,
    /// <summary>The end stays.</summary>
    KeepEnd,
}

/// <summary>Settings of the encoding of examples.</summary>
public sealed record SftEncoderConfig
{
    /// <summary>Most tokens of an example; null: no limit.</summary>
    [Description("Most tokens of an example; null: no limit."), System.ComponentModel.DataAnnotations.Range(2, int.MaxValue)]
    public int? MaxLength { get; init; }

    /// <summary>Which end of an example that is too long stays.</summary>
    [Description("Which end of an example that is too long stays.")]
    public Truncation Truncation { get; init; } = Truncation.KeepStart;

    /// <summary>Of conversations only what the assistant says carries loss, in every turn that is to be learned.</summary>
    [Description("Of conversations only what the assistant says carries loss, in every turn that is to be learned.")]
    public bool AssistantOnly { get; init; }
}

/// <summary>An example as the model reads it.</summary>
/// <param name="Ids">All ids.</param>
/// <param name="PromptLength">How many of the first ids are given and carry no loss.</param>
public sealed record EncodedExample(ReadOnlyMemory<int> Ids, int PromptLength)
{
    /// <summary>[ids] true where a token is to be learned.</summary>
    public ReadOnlyMemory<bool> IsLearned { get; init; } = AllAfter(PromptLength, Ids.Length);

    private static bool[] AllAfter(int prompt, int length)
    {
        bool[] isLearned = new bool[length];
        isLearned.AsSpan(Math.Min(prompt, length)).Fill(true);
        return isLearned;
    }
}

/// <summary>
/// Turns examples into ids, as TRL's SFTTrainer prepares them: conversations go through the chat template, plain text gets the end
/// token, and the tokens of the prompt (with the opening of the answer) carry no loss.
/// </summary>
/// <param name="tokenizer">The model's tokenizer.</param>
/// <param name="endToken">The text of the token that ends plain text, e.g. <c>&lt;eos&gt;</c>.</param>
/// <param name="template">The model's chat template; null: plain text only.</param>
/// <param name="config">The length limit.</param>
public sealed class SftEncoder(ITokenizer tokenizer, string endToken, IChatTemplate? template = null, SftEncoderConfig? config = null)
{
    private readonly SftEncoderConfig _config = config ?? new SftEncoderConfig();

    /// <summary>The example's ids; null where the length limit leaves nothing to be learned.</summary>
    /// <exception cref="R1Exception">A conversation without a chat template, or one that the template refuses.</exception>
    public EncodedExample? Encode(SftExample example)
    {
        var (prompt, whole) = example switch
        {
            ChatExample chat => Render(chat),
            TextExample text => (text.Prompt, WithEnd(text.Prompt + text.Completion, endToken)),
            _ => throw new InvalidOperationException($"unknown kind of example {example.GetType()}"),
        };
        int[] ids = tokenizer.Encode(whole, parseSpecialTokens: true);
        var encoded = new EncodedExample(ids, prompt.Length == 0 ? 0 : tokenizer.Encode(prompt, parseSpecialTokens: true).Length);
        if (_config.AssistantOnly && example is ChatExample conversation) encoded = encoded with { IsLearned = AssistantTokens(conversation, whole, encoded) };
        return _config.MaxLength is { } limit ? Truncate(encoded, limit, _config.Truncation) : Learned(encoded);
    }

    /// <summary>[ids] true where the assistant speaks, after the prompt.</summary>
    private bool[] AssistantTokens(ChatExample chat, string whole, EncodedExample encoded)
    {
        bool[] isLearned = new bool[encoded.Ids.Length];
        foreach (var span in AssistantSpans(chat, whole))
            for (int i = Math.Max(encoded.PromptLength, TokensBefore(span.Start.Value)); i < TokensBefore(span.End.Value); i++) isLearned[i] = true;
        return isLearned;

        // A token across the boundary belongs to what follows it.
        int TokensBefore(int character) => tokenizer.Encode(whole[..character], parseSpecialTokens: true).AsSpan().CommonPrefixLength(encoded.Ids.Span);
    }

    /// <summary>Ranges of the text that the assistant says: where the template marks them, else what each of its turns adds.</summary>
    private IEnumerable<Range> AssistantSpans(ChatExample chat, string whole)
    {
        ChatMessage[] turns = [.. chat.Prompt, .. chat.Completion];
        if (template is ChatTemplate marking && marking.Render(turns, new ChatTemplateOptions()).AssistantSpans is { Count: > 0 } marked) return marked;
        return Enumerable.Range(0, turns.Length).Where(turn => turns[turn].Role == "assistant").Select(turn =>
        {
            string opened = turn == 0 ? "" : template!.Render(turns[..turn], addGenerationPrompt: true), said = template!.Render(turns[..(turn + 1)], addGenerationPrompt: false);
            if (!whole.StartsWith(said, StringComparison.Ordinal) || !said.StartsWith(opened, StringComparison.Ordinal))
                throw new R1Exception($"{chat.Id}: the chat template writes turn {turn + 1} otherwise once the conversation goes on, so that it cannot be told what the assistant says. " +
                    "Mark it in the template by {% generation %} … {% endgeneration %}, or learn completions alone.");
            return opened.Length..said.Length;
        });
    }

    private (string Prompt, string Whole) Render(ChatExample chat)
    {
        if (template is null) throw new R1Exception($"{chat.Id} is a conversation, but the model has no chat template. Use prompt and completion as plain texts.");
        string whole = template.Render([.. chat.Prompt, .. chat.Completion], addGenerationPrompt: false);
        return (chat.Prompt.Count == 0 ? "" : template.Render(chat.Prompt, addGenerationPrompt: true), whole);
    }

    /// <summary>Plain text with the end token, once.</summary>
    internal static string WithEnd(string text, string endToken) => text.EndsWith(endToken, StringComparison.Ordinal) ? text : text + endToken;

    /// <summary>An example of at most so many tokens; null where nothing of it that is left can be learned.</summary>
    internal static EncodedExample? Truncate(EncodedExample example, int limit, Truncation truncation)
    {
        int length = example.Ids.Length, excess = Math.Max(0, length - limit);
        var kept = truncation == Truncation.KeepEnd ? excess..length : 0..(length - excess);
        return Learned(new EncodedExample(example.Ids[kept], Math.Max(0, example.PromptLength - kept.Start.Value)) { IsLearned = example.IsLearned[kept] });
    }

    /// <summary>The example, unless nothing of it is learned. The first token never is: nothing predicts it.</summary>
    private static EncodedExample? Learned(EncodedExample example) => example.IsLearned.Span[1..].Contains(true) ? example : null;
}
