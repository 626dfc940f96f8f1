using System.Text.Json;
using DeepSeekR1.Text.Tokenization;

namespace DeepSeekR1.Text;

/// <summary>The ids that end an answer.</summary>
public static class StopTokens
{
    /// <summary>
    /// All ids that end an answer of the model in a folder, ascending: <c>eos_token_id</c> of <c>generation_config.json</c> and of
    /// <c>config.json</c> (one id or a list), the tokenizer's own, and the token with which the chat template ends an assistant's turn.
    /// </summary>
    /// <exception cref="R1Exception">A file is broken, or names an id that the tokenizer does not have.</exception>
    public static IReadOnlyList<int> Load(string folder, ITokenizer tokenizer)
    {
        var ids = new SortedSet<int>();
        foreach (string name in new[] { "generation_config.json", "config.json" })
        {
            string path = Path.Combine(folder, name);
            if (File.Exists(path) && JsonField.Read(path).Find("eos_token_id") is { } eos) ids.UnionWith(IdsOf(eos, tokenizer.VocabularySize));
        }
        string configPath = Path.Combine(folder, TokenizerConfig.FileName);
        if (File.Exists(configPath) && TokenizerConfig.Parse(JsonField.Read(configPath)).Eos is { } token && tokenizer.SpecialTokens.TryGetValue(token, out int id))
            ids.Add(id);
        if (ChatTemplate.TryLoad(folder) is { } template && EndOfTurn(template, tokenizer) is { } endOfTurn) ids.Add(endOfTurn);
        return [.. ids];
    }

    /// <summary>
    /// The first special token that a template writes after an assistant's message, or null where it writes none or refuses the
    /// shortest of conversations.
    /// </summary>
    public static int? EndOfTurn(IChatTemplate template, ITokenizer tokenizer)
    {
        const string answer = "The answer.";
        string text;
        try
        {
            text = template.Render([new ChatMessage("user", "A question?"), new ChatMessage("assistant", answer)], addGenerationPrompt: false);
        }
        catch (R1Exception)
        {
            return null;
        }
        int end = text.LastIndexOf(answer, StringComparison.Ordinal);
        if (end < 0) return null;
        string after = text[(end + answer.Length)..];
        var written = tokenizer.SpecialTokens.Where(token => after.Contains(token.Key, StringComparison.Ordinal));
        return written.OrderBy(token => after.IndexOf(token.Key, StringComparison.Ordinal)).ThenByDescending(token => token.Key.Length)
            .Select(token => (int?)token.Value).FirstOrDefault();
    }

    private static IEnumerable<int> IdsOf(JsonField field, int vocabularySize) => field.Value.ValueKind == JsonValueKind.Array
        ? field.Items().Select(item => item.Int(0, vocabularySize - 1))
        : [field.Int(0, vocabularySize - 1)];
}
