using System.Text.Json;
using System.Text.Json.Nodes;
using DeepSeekR1.Text.Tokenization;

namespace DeepSeekR1.Text;

/// <summary>The special tokens of a word-level vocabulary, by role. They have the first ids, in this order.</summary>
/// <param name="Pad">Fills short sequences.</param>
/// <param name="Bos">Begins a text.</param>
/// <param name="Eos">Ends an answer.</param>
/// <param name="Unknown">Stands for words outside the vocabulary.</param>
public sealed record WordLevelSpecialTokens(string Pad = "<pad>", string Bos = "<bos>", string Eos = "<eos>", string Unknown = "<unk>")
{
    /// <summary>Further special tokens, such as the markers of turns.</summary>
    public IReadOnlyList<string> Others { get; init; } = [];

    /// <summary>All of them in the order of their ids; a token with two roles counts once.</summary>
    internal IEnumerable<string> All => new[] { Pad, Bos, Eos, Unknown }.Concat(Others).Distinct();
}

/// <summary>
/// One id a word, made from a list of words: the vocabulary of small models. Words are separated by white space; decoding joins them with
/// single spaces. Saves as a <c>tokenizer.json</c> that transformers and <see cref="HfTokenizer.Load"/> read. Thread-safe.
/// </summary>
public sealed class WordLevelTokenizer : ITokenizer
{
    private readonly HfTokenizer _tokenizer;

    /// <summary>A tokenizer whose first ids are the special tokens and whose next ones are the words, in order.</summary>
    /// <param name="words">The words, without white space, each once.</param>
    /// <param name="specialTokens">The special tokens; by default pad, bos, eos and unk in angle brackets.</param>
    /// <param name="chatTemplate">A Jinja template for <c>tokenizer_config.json</c>.</param>
    /// <exception cref="R1Exception">A word stands twice, is empty or contains white space.</exception>
    public WordLevelTokenizer(IReadOnlyList<string> words, WordLevelSpecialTokens? specialTokens = null, string? chatTemplate = null)
    {
        specialTokens ??= new WordLevelSpecialTokens();
        string[] specials = [.. specialTokens.All];
        var vocabulary = new JsonObject();
        foreach (string word in specials.Concat(words))
        {
            if (word.Length == 0 || word.Any(char.IsWhiteSpace)) throw new R1Exception($"The word '{word}' of a word-level vocabulary is empty or contains white space.");
            if (!vocabulary.TryAdd(word, vocabulary.Count)) throw new R1Exception($"The word '{word}' stands twice in a word-level vocabulary.");
        }
        _tokenizer = HfTokenizer.FromFiles("word-level tokenizer", new Dictionary<string, byte[]>
        {
            [HfTokenizer.TokenizerFile] = Utf8(TokenizerJson(vocabulary, specials, specialTokens.Unknown)),
            [TokenizerConfig.FileName] = Utf8(ConfigJson(specialTokens, chatTemplate)),
        });
    }

    /// <inheritdoc/>
    public int VocabularySize => _tokenizer.VocabularySize;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, int> SpecialTokens => _tokenizer.SpecialTokens;

    /// <summary>The id that fills short sequences.</summary>
    public int PadId => _tokenizer.PadId!.Value;

    /// <summary>The id that begins a text.</summary>
    public int BosId => _tokenizer.BosId!.Value;

    /// <summary>The id that ends an answer.</summary>
    public int EosId => _tokenizer.EosId!.Value;

    /// <inheritdoc/>
    public int[] Encode(string text, bool parseSpecialTokens = false) => _tokenizer.Encode(text, parseSpecialTokens);

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false) => _tokenizer.Decode(ids, skipSpecialTokens);

    /// <inheritdoc/>
    public void Save(string folder) => _tokenizer.Save(folder);

    private static JsonObject TokenizerJson(JsonObject vocabulary, string[] specials, string unknown) => new()
    {
        ["version"] = "1.0",
        ["truncation"] = null,
        ["padding"] = null,
        ["added_tokens"] = new JsonArray([.. specials.Select((content, id) => new JsonObject
        {
            ["id"] = id,
            ["content"] = content,
            ["single_word"] = false,
            ["lstrip"] = false,
            ["rstrip"] = false,
            ["normalized"] = false,
            ["special"] = true,
        })]),
        ["normalizer"] = null,
        ["pre_tokenizer"] = new JsonObject { ["type"] = "WhitespaceSplit" },
        ["post_processor"] = null,
        ["decoder"] = null,
        ["model"] = new JsonObject { ["type"] = "WordLevel", ["vocab"] = vocabulary, ["unk_token"] = unknown },
    };

    private static JsonObject ConfigJson(WordLevelSpecialTokens tokens, string? chatTemplate)
    {
        var config = new JsonObject
        {
            ["bos_token"] = tokens.Bos,
            ["clean_up_tokenization_spaces"] = false,
            ["eos_token"] = tokens.Eos,
            ["pad_token"] = tokens.Pad,
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["unk_token"] = tokens.Unknown,
        };
        if (chatTemplate is not null) config["chat_template"] = chatTemplate;
        return config;
    }

    private static byte[] Utf8(JsonObject json) => JsonSerializer.SerializeToUtf8Bytes(json, _indented);

    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
