using System.Buffers;
using System.Text;

namespace DeepSeekR1.Text;

/// <summary>Conversations as token ids.</summary>
public static class ChatEncoding
{
    /// <summary>Noncharacters around special tokens that stand in a message: they survive templates and occur in no text.</summary>
    private const char Open = '\uFDD0', Close = '\uFDD1';

    /// <summary>
    /// Renders a conversation and encodes it. Special tokens that the template writes are recognised; those that stand in a message's
    /// content are spelled with ordinary tokens, so that no message can end its turn or begin another one's.
    /// </summary>
    /// <exception cref="R1Exception">The template refuses the conversation or is broken.</exception>
    public static int[] Encode(this IChatTemplate template, ITokenizer tokenizer, IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt)
    {
        var specials = SearchValues.Create([.. tokenizer.SpecialTokens.Keys.Where(token => token.Length > 0)], StringComparison.Ordinal);
        var byLength = tokenizer.SpecialTokens.Keys.OrderByDescending(token => token.Length).ToArray();
        var guarded = messages.Select(message => message with
        {
            Content = Guard(message.Content, specials, byLength),
            ReasoningContent = message.ReasoningContent is { } reasoning ? Guard(reasoning, specials, byLength) : null,
        });
        return EncodeGuarded(template.Render([.. guarded], addGenerationPrompt), tokenizer);
    }

    private static string Guard(string content, SearchValues<string> specials, string[] byLength)
    {
        if (content.AsSpan().IndexOfAny(specials) < 0 && content.AsSpan().IndexOfAny(Open, Close) < 0) return content;
        var guarded = new StringBuilder(content.Length + 8);
        string rest = content.Replace(Open, '\uFFFD').Replace(Close, '\uFFFD');
        for (int start = rest.AsSpan().IndexOfAny(specials); start >= 0; start = rest.AsSpan().IndexOfAny(specials))
        {
            string token = byLength.First(candidate => rest.AsSpan(start).StartsWith(candidate, StringComparison.Ordinal));
            guarded.Append(rest, 0, start).Append(Open).Append(token).Append(Close);
            rest = rest[(start + token.Length)..];
        }
        return guarded.Append(rest).ToString();
    }

    private static int[] EncodeGuarded(string text, ITokenizer tokenizer)
    {
        if (!text.Contains(Open)) return tokenizer.Encode(text, parseSpecialTokens: true);
        var ids = new List<int>();
        foreach (string part in text.Split(Open))
        {
            int close = part.IndexOf(Close);
            if (close > 0) ids.AddRange(tokenizer.Encode(part[..close]));
            ids.AddRange(tokenizer.Encode(part[(close + 1)..], parseSpecialTokens: true));
        }
        return [.. ids];
    }
}
