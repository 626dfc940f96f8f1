using System.Text.Encodings.Web;
using System.Text.Json;
using DeepSeekR1.Data;
using DeepSeekR1.Text;
using DeepSeekR1.Text.Tokenization;

namespace DeepSeekR1.Evaluation;

/// <summary>What a tokenizer's reference files say and what came out.</summary>
/// <param name="Rows">Rows compared.</param>
/// <param name="Differences">Each difference in one line: file, line number, what, expected and found.</param>
public sealed record TokenizerReport(int Rows, IReadOnlyList<string> Differences);

/// <summary>
/// Compares a tokenizer and its chat template with files of JSON lines. Cases: <c>text</c>, <c>ids</c>, and of <c>ids_special</c>,
/// <c>decoded</c> and <c>decoded_skip_special</c> those that are there. Chats: <c>messages</c>, <c>tools</c>,
/// <c>add_generation_prompt</c>, <c>continue_final_message</c>, <c>extra</c>, and <c>rendered</c> and <c>ids</c>, or <c>error</c>.
/// </summary>
public static class TokenizerVerification
{
    private const int LongestShown = 60;

    private static readonly JsonSerializerOptions _readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Compares every row of the files.</summary>
    /// <param name="folder">The folder of the tokenizer.</param>
    /// <param name="cases">The file of texts; null leaves them out.</param>
    /// <param name="chat">The file of conversations; null leaves them out.</param>
    /// <exception cref="R1Exception">The tokenizer or a file cannot be read, or a row is not of that form.</exception>
    public static TokenizerReport Run(string folder, string? cases, string? chat)
    {
        var tokenizer = HfTokenizer.Load(folder);
        var differences = new List<string>();
        int rows = 0;
        foreach (var row in Rows(cases))
        {
            rows++;
            differences.AddRange(CompareText(tokenizer, row).Select(difference => $"{row.File}: {difference}"));
        }
        var template = chat is null ? null : ChatTemplate.Load(folder);
        foreach (var row in Rows(chat))
        {
            rows++;
            differences.AddRange(CompareChat(tokenizer, template!, row).Select(difference => $"{row.File}: {difference}"));
        }
        return new TokenizerReport(rows, differences);
    }

    private static IEnumerable<JsonField> Rows(string? path) => path is null ? [] :
        LineReader.Read(path).Where(line => line.Bytes.Length > 0).Select(line => JsonField.Parse($"{path}, line {line.Number}", line.Bytes.Span));

    private static IEnumerable<string> CompareText(HfTokenizer tokenizer, JsonField row)
    {
        string text = row.Get("text").String();
        int[] ids = Ids(row.Get("ids"));
        return
        [
            .. CompareIds("ids", ids, tokenizer.Encode(text, parseSpecialTokens: true)),
            .. row.Find("ids_special") is { } special ? CompareIds("ids_special", Ids(special), tokenizer.EncodeWithSpecialTokens(text)) : [],
            .. row.Find("decoded") is { } decoded ? CompareTexts("decoded", decoded.String(), tokenizer.Decode(ids)) : [],
            .. row.Find("decoded_skip_special") is { } plain
                ? CompareTexts("decoded_skip_special", plain.String(), tokenizer.Decode(Ids(row.Find("ids_special") ?? row.Get("ids")), skipSpecialTokens: true)) : [],
        ];
    }

    private static IEnumerable<string> CompareChat(HfTokenizer tokenizer, ChatTemplate template, JsonField row)
    {
        bool mustFail = row.Find("error") is not null;
        var (messages, options) = (row.Get("messages"), OptionsOf(row));
        string text;
        try
        {
            text = template.Render(messages.Value, options).Text;
        }
        catch (R1Exception refused)
        {
            return mustFail ? [] : [$"rendered: expected a text, found the error {refused.Message}"];
        }
        if (mustFail) return [$"error: expected one, found {Shown(text)}"];
        return
        [
            .. CompareTexts("rendered", row.Get("rendered").String(), text),
            .. row.Find("ids") is { } ids ? CompareIds("ids", Ids(ids), tokenizer.Encode(text, parseSpecialTokens: true)) : [],
        ];
    }

    private static ChatTemplateOptions OptionsOf(JsonField row)
    {
        var extra = (row.Find("extra")?.Members() ?? []).ToDictionary(member => member.Name, member => member.Field.Value);
        bool? thinks = extra.Remove("enable_thinking", out var thinking) ? thinking.ValueKind == JsonValueKind.True : null;
        return new ChatTemplateOptions
        {
            AddGenerationPrompt = row.Flag("add_generation_prompt"),
            ContinueFinalMessage = row.Flag("continue_final_message"),
            Tools = row.Find("tools")?.Value,
            EnableThinking = thinks,
            Variables = extra,
        };
    }

    private static int[] Ids(JsonField field) => [.. field.Items().Select(id => id.Int(0, HfTokenizer.LargestId))];

    private static string[] CompareIds(string what, int[] expected, int[] found)
    {
        if (expected.AsSpan().SequenceEqual(found)) return [];
        int same = expected.AsSpan().CommonPrefixLength(found);
        return [$"{what} differ from position {same} on: expected {Shown(string.Join(", ", expected.Skip(same)))}, found {Shown(string.Join(", ", found.Skip(same)))}"];
    }

    private static string[] CompareTexts(string what, string expected, string found)
    {
        if (expected == found) return [];
        int same = expected.AsSpan().CommonPrefixLength(found);
        return [$"{what} differs from character {same} on: expected {Shown(expected[same..])}, found {Shown(found[same..])}"];
    }

    private static string Shown(string text) => JsonSerializer.Serialize(text.Length <= LongestShown ? text : text[..LongestShown] + "…", _readable);
}
