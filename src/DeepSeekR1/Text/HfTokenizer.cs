using System.Runtime.InteropServices;
using System.Text;
using DeepSeekR1.Runtime;
using DeepSeekR1.Text.Tokenization;

namespace DeepSeekR1.Text;

/// <summary>
/// A tokenizer of the Hugging Face hub: what <c>tokenizer.json</c> says, with the ids that the tokenizers library gives.
/// </summary>
/// <remarks>
/// Text goes through added tokens, normalizer, pre-tokenizer and model (BPE or word level). The merges of BPE are
/// Microsoft.ML.Tokenizers'; the rest is here because that package reads no <c>tokenizer.json</c>. Thread-safe.
/// </remarks>
public sealed class HfTokenizer : ITokenizer
{
    /// <summary>The file that defines the tokenizer.</summary>
    internal const string TokenizerFile = "tokenizer.json";

    /// <summary>Ids are indices into a table, so an absurd one must not allocate it.</summary>
    internal const int LargestId = (1 << 24) - 1;

    private static readonly string[] _savedFiles = [TokenizerFile, TokenizerConfig.FileName, "special_tokens_map.json", ChatTemplateFile];

    private const string ChatTemplateFile = "chat_template.jinja";

    private readonly Dictionary<string, byte[]> _files;
    private readonly Func<string, string>? _normalize;
    private readonly PreTokenizer _preTokenizer;
    private readonly TokenModel _model;
    private readonly PostProcessor _postProcessor;
    private readonly Func<List<string>, List<string>>? _decoder;
    private readonly AddedTokenLayer _allAddedTokens;
    private readonly AddedTokenLayer _contentTokens;
    private readonly string?[] _tokens;
    private readonly byte[]?[]? _bytes;
    private readonly HashSet<int> _skippedIds;

    private HfTokenizer(JsonField root, TokenizerConfig config, Dictionary<string, byte[]> files)
    {
        _files = files;
        Config = config;
        _normalize = root.Find("normalizer") is { } normalizer ? Normalizer.Parse(normalizer) : null;
        _preTokenizer = root.Find("pre_tokenizer") is { } preTokenizer ? PreTokenizer.Parse(preTokenizer) : PreTokenizer.None;
        AddedToken[] added = root.Find("added_tokens") is { } list ? [.. list.Items().Select(AddedToken.Parse)] : [];
        var controlIds = added.Where(token => token.IsControl).Select(token => token.Id).ToHashSet();
        _model = TokenModel.FromJson(root.Get("model"), _preTokenizer.IsByteLevel, controlIds);
        _postProcessor = root.Find("post_processor") is { } postProcessor ? PostProcessor.Parse(postProcessor) : PostProcessor.None;
        var decoder = root.Find("decoder");
        _decoder = decoder is { } given ? TokenDecoder.Parse(given) : null;

        _allAddedTokens = new AddedTokenLayer(added, _normalize);
        _contentTokens = new AddedTokenLayer([.. added.Where(token => !token.IsControl)], _normalize);
        _skippedIds = [.. added.Where(token => token.IsSpecial).Select(token => token.Id)];
        SpecialTokens = added.Where(token => token.IsControl).GroupBy(token => token.Content).ToDictionary(group => group.Key, group => group.Last().Id);

        VocabularySize = 1 + _model.Vocabulary.Values.Concat(added.Select(token => token.Id)).Max();
        _tokens = new string?[VocabularySize];
        foreach (var (token, id) in _model.Vocabulary) _tokens[id] = token;
        foreach (var token in added) _tokens[token.Id] = token.Content;
        if (decoder?.Type == "ByteLevel") _bytes = Array.ConvertAll(_tokens, token => token is null ? null : ByteLevelAlphabet.BytesOf(token));
    }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    /// <inheritdoc/>
    /// <remarks>
    /// Tokens marked special, and those written &lt;|...|> that a file forgets to mark. Markup of the answer's own, such as
    /// &lt;think>, is not among them.
    /// </remarks>
    public IReadOnlyDictionary<string, int> SpecialTokens { get; }

    /// <summary>The id that begins a text, where <c>tokenizer_config.json</c> names one.</summary>
    public int? BosId => IdOf(Config.Bos);

    /// <summary>The id that ends a text, where <c>tokenizer_config.json</c> names one. See <see cref="StopTokens"/> for all ids that end an answer.</summary>
    public int? EosId => IdOf(Config.Eos);

    /// <summary>The id that fills short sequences, where <c>tokenizer_config.json</c> names one.</summary>
    public int? PadId => IdOf(Config.Pad);

    /// <summary>What tokenizer_config.json says.</summary>
    internal TokenizerConfig Config { get; }

    /// <summary>Reads <c>tokenizer.json</c>, and <c>tokenizer_config.json</c> where it is there, from a model folder.</summary>
    /// <exception cref="R1Exception">A file is missing or broken, or asks for what is not supported; names file and field.</exception>
    public static HfTokenizer Load(string folder)
    {
        string path = Path.Combine(folder, TokenizerFile);
        if (!File.Exists(path))
            throw new R1Exception($"{folder} has no {TokenizerFile}. Point to a model folder with a fast tokenizer (transformers: AutoTokenizer.from_pretrained(...).save_pretrained(...) writes one).");
        var files = _savedFiles.Where(name => File.Exists(Path.Combine(folder, name)))
            .ToDictionary(name => name, name => JsonField.ReadBytes(Path.Combine(folder, name)));
        return FromFiles(folder, files);
    }

    /// <summary>A tokenizer from the files of a folder; <paramref name="folder"/> is only named in errors.</summary>
    internal static HfTokenizer FromFiles(string folder, Dictionary<string, byte[]> files)
    {
        var config = files.TryGetValue(TokenizerConfig.FileName, out byte[]? configBytes)
            ? TokenizerConfig.Parse(JsonField.Parse(Path.Combine(folder, TokenizerConfig.FileName), configBytes)) : TokenizerConfig.Empty;
        return new HfTokenizer(JsonField.Parse(Path.Combine(folder, TokenizerFile), files[TokenizerFile]), config, files);
    }

    /// <inheritdoc/>
    public int[] Encode(string text, bool parseSpecialTokens = false)
    {
        var ids = new List<int>((text.Length / 3) + 8);
        var addedTokens = parseSpecialTokens ? _allAddedTokens : _contentTokens;
        text = WellFormed(text);
        foreach (var section in addedTokens.Raw.Split(text))
        {
            if (section.Id is { } id) ids.Add(id);
            else EncodeSection(text.Substring(section.Start, section.Length), section.Start == 0, addedTokens.Normalized, ids);
        }
        return [.. ids];
    }

    /// <summary>
    /// Ids of a text with the special tokens around it that the tokenizer's post-processor adds, such as Llama's begin of text:
    /// how a base model expects raw text. Special tokens within the text are recognised.
    /// </summary>
    public int[] EncodeWithSpecialTokens(string text) => [.. _postProcessor.Before, .. Encode(text, parseSpecialTokens: true), .. _postProcessor.After];

    /// <inheritdoc/>
    /// <remarks>Ids beyond the vocabulary (rows that pad an embedding) stand for no text.</remarks>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        if (_bytes is not null) return DecodeBytes(ids, skipSpecialTokens);
        var tokens = new List<string>(ids.Length);
        foreach (int id in ids)
            if (TokenOf(id) is { } token && !(skipSpecialTokens && _skippedIds.Contains(id)))
                tokens.Add(token);
        return _decoder is null ? string.Join(' ', tokens) : string.Concat(_decoder(tokens));
    }

    /// <summary>The token of an id as the vocabulary spells it, or null beyond the vocabulary.</summary>
    public string? TokenOf(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    /// <summary>The id of a token as the vocabulary spells it, or null.</summary>
    public int? IdOf(string? token) =>
        token is null ? null : SpecialTokens.TryGetValue(token, out int id) || _allAddedTokens.Ids.TryGetValue(token, out id) || _model.Vocabulary.TryGetValue(token, out id) ? id : null;

    /// <inheritdoc/>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, bytes) in _files) AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(bytes));
        // What an earlier tokenizer left would be read with this one.
        foreach (string name in _savedFiles.Where(name => !_files.ContainsKey(name))) File.Delete(Path.Combine(folder, name));
    }

    private void EncodeSection(string text, bool isStartOfInput, AddedTokenMatcher normalizedTokens, List<int> ids)
    {
        string normalized = _normalize is null ? text : _normalize(text);
        foreach (var section in normalizedTokens.Split(normalized))
        {
            if (section.Id is { } id)
            {
                ids.Add(id);
                continue;
            }
            string part = section.Length == normalized.Length ? normalized : normalized.Substring(section.Start, section.Length);
            var pieces = new PieceList(part, isStartOfInput && section.Start == 0);
            _preTokenizer.Apply(pieces);
            foreach (var piece in pieces.Pieces) _model.Encode(pieces.Text.AsSpan(piece.Start, piece.Length), ids);
        }
    }

    /// <summary>Halves of surrogate pairs have no UTF-8; each becomes U+FFFD.</summary>
    private static string WellFormed(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0) return text;
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) result.Append(rune);
        return result.ToString();
    }

    private string DecodeBytes(ReadOnlySpan<int> ids, bool skipSpecialTokens)
    {
        var bytes = new List<byte>(ids.Length * 4);
        foreach (int id in ids)
            if ((uint)id < (uint)_bytes!.Length && _bytes[id] is { } token && !(skipSpecialTokens && _skippedIds.Contains(id)))
                bytes.AddRange(token);
        return Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(bytes));
    }

    /// <summary>The added tokens that one way of encoding knows: those searched in the raw text and those in the normalized text.</summary>
    private sealed class AddedTokenLayer(AddedToken[] tokens, Func<string, string>? normalize)
    {
        public AddedTokenMatcher Raw { get; } = new(tokens.Where(token => !token.IsNormalized).Select(token => (token.Content, token)));

        public AddedTokenMatcher Normalized { get; } =
            new(tokens.Where(token => token.IsNormalized).Select(token => (normalize is null ? token.Content : normalize(token.Content), token)));

        public Dictionary<string, int> Ids { get; } = tokens.GroupBy(token => token.Content).ToDictionary(group => group.Key, group => group.Last().Id);
    }
}
