using System.ComponentModel;
using DeepSeekR1.Text;

namespace DeepSeekR1.Data;

/// <summary>Which end of a text that is too long stays.</summary>
public enum SftTruncation
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
    public SftTruncation Truncation { get; init; } = SftTruncation.KeepStart;
}

/// <summary>An example as the model reads it.</summary>
/// <param name="Ids">All ids.</param>
/// <param name="PromptLength">How many of the first ids are given and carry no loss.</param>
public sealed record EncodedExample(ReadOnlyMemory<int> Ids, int PromptLength);

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
            TextExample text => (text.Prompt, WithEnd(text.Prompt + text.Completion)),
            _ => throw new InvalidOperationException($"unknown kind of example {example.GetType()}"),
        };
        int[] ids = tokenizer.Encode(whole, parseSpecialTokens: true);
        int promptLength = prompt.Length == 0 ? 0 : tokenizer.Encode(prompt, parseSpecialTokens: true).Length;
        return Truncate(ids, promptLength);
    }

    private (string Prompt, string Whole) Render(ChatExample chat)
    {
        if (template is null) throw new R1Exception($"{chat.Id} is a conversation, but the model has no chat template. Use prompt and completion as plain texts.");
        string whole = template.Render([.. chat.Prompt, .. chat.Completion], addGenerationPrompt: false);
        return (chat.Prompt.Count == 0 ? "" : template.Render(chat.Prompt, addGenerationPrompt: true), whole);
    }

    private string WithEnd(string text) => text.EndsWith(endToken, StringComparison.Ordinal) ? text : text + endToken;

    private EncodedExample? Truncate(int[] ids, int promptLength)
    {
        int excess = _config.MaxLength is { } limit ? Math.Max(0, ids.Length - limit) : 0;
        bool keepsEnd = _config.Truncation == SftTruncation.KeepEnd;
        var kept = keepsEnd ? ids[excess..] : ids[..(ids.Length - excess)];
        int given = keepsEnd ? Math.Max(0, promptLength - excess) : promptLength;
        // The first token is never learned: nothing predicts it.
        return Math.Max(given, 1) < kept.Length ? new EncodedExample(kept, given) : null;
    }
}
