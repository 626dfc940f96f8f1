using System.Runtime.InteropServices;

namespace DeepSeekR1.Text;

/// <summary>
/// Decodes ids as they are sampled and hands out text as soon as it is whole: never half a character, never a text that a later id
/// changes. Not thread-safe; one for each stream.
/// </summary>
/// <param name="tokenizer">The tokenizer of the ids.</param>
/// <param name="skipSpecialTokens">Whether special tokens leave no text.</param>
public sealed class IncrementalDecoder(ITokenizer tokenizer, bool skipSpecialTokens = false)
{
    /// <summary>A character has at most four bytes: what is still broken after so many ids stays broken.</summary>
    private const int LongestWait = 16;

    private readonly List<int> _window = [];
    private int _emitted;
    private string _emittedText = "";

    /// <summary>The text that this id completes; empty while a character is incomplete.</summary>
    public string Append(int id)
    {
        _window.Add(id);
        string text = Decode();
        bool isWhole = !text.EndsWith('\uFFFD') || _window.Count - _emitted > LongestWait;
        return text.Length > _emittedText.Length && isWhole ? Emit(text) : "";
    }

    /// <summary>What is left at the end; an incomplete character is U+FFFD.</summary>
    public string Flush()
    {
        string text = Decode();
        return text.Length > _emittedText.Length ? Emit(text) : "";
    }

    /// <summary>Keeps the ids just emitted as the context of the next ones: decoders treat the beginning of a text differently.</summary>
    private string Emit(string text)
    {
        string fresh = text[_emittedText.Length..];
        _window.RemoveRange(0, _emitted);
        _emitted = _window.Count;
        _emittedText = Decode();
        return fresh;
    }

    private string Decode() => tokenizer.Decode(CollectionsMarshal.AsSpan(_window), skipSpecialTokens);
}
