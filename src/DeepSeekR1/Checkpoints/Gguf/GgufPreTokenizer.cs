using DeepSeekR1.Text.Tokenization;

namespace DeepSeekR1.Checkpoints.Gguf;

/// <summary>llama.cpp knows how a tokenizer cuts text by a name; it is found here by the patterns themselves.</summary>
internal static class GgufPreTokenizer
{
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string Digit = @"\p{N}";
    private const string Cl100k = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Qwen2 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Tekken = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string DeepSeekWords = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+";

    private static readonly (string Name, string[] Patterns)[] _known =
    [
        ("gpt-2", [Gpt2]),
        ("smollm", [Digit, Gpt2]),
        ("qwen2", [Qwen2]),
        ("tekken", [Tekken]),
        ("deepseek-v3", [@"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+", DeepSeekWords]),
        (Llama3, [Cl100k]),
    ];

    private const string Llama3 = "llama-bpe", Llama3WithMerges = "dbrx";

    /// <summary>The name for <c>tokenizer.ggml.pre</c> of a byte-level tokenizer.</summary>
    /// <param name="preTokenizer">The field pre_tokenizer of tokenizer.json.</param>
    /// <param name="ignoresMerges">Whole pieces that are tokens are taken before any merge; llama.cpp ties this to the name.</param>
    /// <exception cref="R1Exception">llama.cpp has no name for it.</exception>
    public static string NameOf(JsonField preTokenizer, bool ignoresMerges)
    {
        string[] patterns = [.. PatternsOf(preTokenizer)];
        string? name = _known.FirstOrDefault(known => known.Patterns.SequenceEqual(patterns)).Name;
        if (name is null) throw preTokenizer.Error($"GGUF has no name that is known here for a pre-tokenizer that splits by {string.Join(" then ", patterns)}; known are {string.Join(", ", _known.Select(known => known.Name))}");
        return name == Llama3 && !ignoresMerges ? Llama3WithMerges : name;
    }

    /// <summary>The patterns by which the text is cut, one after the other.</summary>
    private static IEnumerable<string> PatternsOf(JsonField field) => field.Type switch
    {
        "Sequence" => field.Get("pretokenizers").Items().SelectMany(PatternsOf),
        "Split" => [field.Get("pattern").Get("Regex").String()],
        "Digits" => field.Flag("individual_digits") ? [Digit] : [Digit + "+"],
        "ByteLevel" => field.Find("use_regex")?.Bool() ?? true ? [Gpt2] : [],
        _ => [field.Type],
    };
}
