namespace DeepSeekR1.Text.Tokenization;

/// <summary>
/// The field "model" of tokenizer.json: pieces of text to ids. A model never gives the id of a control token: those are found in the
/// text before it, or, in user content, not at all.
/// </summary>
internal abstract class TokenModel
{
    /// <summary>Text of a token → its id.</summary>
    public abstract IReadOnlyDictionary<string, int> Vocabulary { get; }

    /// <summary>Appends the ids of one piece. Thread-safe.</summary>
    public abstract void Encode(ReadOnlySpan<char> piece, List<int> ids);

    /// <summary>Reads a model of whichever kind.</summary>
    public static TokenModel FromJson(JsonField field, bool isByteLevel, IReadOnlySet<int> controlIds) =>
        (field.Find("type")?.String() ?? (field.Find("merges") is null ? "" : "BPE")) switch
        {
            "BPE" => BpeModel.Parse(field, isByteLevel, controlIds),
            "WordLevel" => WordLevelModel.Parse(field, controlIds),
            "" => throw field.Error("the field 'type' is missing"),
            _ => throw field.UnknownKind("BPE, WordLevel"),
        };

    /// <summary>Reads the field "vocab".</summary>
    protected static Dictionary<string, int> ParseVocabulary(JsonField vocabulary)
    {
        var tokens = new Dictionary<string, int>();
        foreach (var (token, id) in vocabulary.Members()) tokens[token] = id.Int(0, HfTokenizer.LargestId);
        return tokens.Count > 0 ? tokens : throw vocabulary.Error("expected at least one token");
    }
}

/// <summary>One id a piece; unknown pieces are the unknown token.</summary>
internal sealed class WordLevelModel : TokenModel
{
    private readonly Dictionary<string, int> _vocabulary;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly IReadOnlySet<int> _controlIds;
    private readonly int? _unknown;

    private WordLevelModel(Dictionary<string, int> vocabulary, IReadOnlySet<int> controlIds, int? unknown) =>
        (_vocabulary, _bySpan, _controlIds, _unknown) = (vocabulary, vocabulary.GetAlternateLookup<ReadOnlySpan<char>>(), controlIds, unknown);

    public override IReadOnlyDictionary<string, int> Vocabulary => _vocabulary;

    public static WordLevelModel Parse(JsonField field, IReadOnlySet<int> controlIds)
    {
        var vocabulary = ParseVocabulary(field.Get("vocab"));
        return new WordLevelModel(vocabulary, controlIds, vocabulary.TryGetValue(field.Get("unk_token").String(), out int id) ? id : null);
    }

    public override void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (_bySpan.TryGetValue(piece, out int id) && !_controlIds.Contains(id)) ids.Add(id);
        else if (_unknown is { } unknown) ids.Add(unknown);
        else throw new R1Exception($"The word '{piece}' is not in the vocabulary, and tokenizer.json has no unknown token in it.");
    }
}
