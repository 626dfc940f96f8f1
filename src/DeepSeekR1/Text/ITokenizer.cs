namespace DeepSeekR1.Text;

/// <summary>Turns text into token ids and back. Thread-safe.</summary>
public interface ITokenizer
{
    /// <summary>Number of ids, added tokens included: every id is below it.</summary>
    int VocabularySize { get; }

    /// <summary>Text of a special token → its id, e.g. <c>&lt;|im_end|&gt;</c> → 2.</summary>
    IReadOnlyDictionary<string, int> SpecialTokens { get; }

    /// <summary>
    /// Ids of a text. With <paramref name="parseSpecialTokens"/> false (user content), a text such as <c>&lt;|im_end|&gt;</c> is spelled
    /// with ordinary tokens and cannot end a turn; true is for rendered chat templates. Adds no begin or end token of its own accord.
    /// </summary>
    int[] Encode(string text, bool parseSpecialTokens = false);

    /// <summary>Text of the ids; bytes that are no UTF-8 become U+FFFD.</summary>
    string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false);

    /// <summary>Writes the files of this tokenizer (<c>tokenizer.json</c>, <c>tokenizer_config.json</c>) into a model folder.</summary>
    void Save(string folder);
}
