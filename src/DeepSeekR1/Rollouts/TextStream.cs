using DeepSeekR1.Text;

namespace DeepSeekR1.Rollouts;

/// <summary>
/// Turns ids that arrive one by one into text that never has to be taken back: a piece is held until its last character is whole.
/// A few earlier ids are decoded along, because some tokenizers spell a token by its neighbours.
/// </summary>
internal sealed class TextStream(ITokenizer tokenizer)
{
    private readonly List<int> _ids = [];
    private int _contextStart, _emitted;

    /// <summary>The text that this id completes; empty while a character is unfinished.</summary>
    public string Append(int id)
    {
        _ids.Add(id);
        string text = Pending();
        if (text.EndsWith('\uFFFD')) return "";
        (_contextStart, _emitted) = (_emitted, _ids.Count);
        return text;
    }

    /// <summary>What is still held, whole or not.</summary>
    public string Finish()
    {
        string text = Pending();
        _emitted = _contextStart = _ids.Count;
        return text;
    }

    private string Pending()
    {
        if (_emitted == _ids.Count) return "";
        string context = Decode(_ids[_contextStart.._emitted]), whole = Decode(_ids[_contextStart..]);
        return whole[Math.Min(context.Length, whole.Length)..];
    }

    private string Decode(List<int> ids) => tokenizer.Decode(ids.ToArray(), skipSpecialTokens: true);
}
