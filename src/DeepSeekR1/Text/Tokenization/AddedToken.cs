using System.Buffers;
using System.Text;

namespace DeepSeekR1.Text.Tokenization;

/// <summary>An entry of "added_tokens": a text that is one token wherever it stands.</summary>
/// <param name="Id">The token's id.</param>
/// <param name="Content">Its text.</param>
/// <param name="IsSpecial">Left out when decoding without special tokens.</param>
/// <param name="IsNormalized">Searched in the normalized text instead of the raw one.</param>
/// <param name="StripsLeft">Swallows white space before it.</param>
/// <param name="StripsRight">Swallows white space after it.</param>
/// <param name="IsSingleWord">Is no token inside a word.</param>
internal sealed record AddedToken(int Id, string Content, bool IsSpecial, bool IsNormalized, bool StripsLeft, bool StripsRight, bool IsSingleWord)
{
    /// <summary>
    /// True for tokens that structure a conversation: special ones, and those in the delimiters &lt;|...|> that some vocabularies
    /// forget to mark as special (DeepSeek's turn markers). User content must not produce them.
    /// </summary>
    public bool IsControl => IsSpecial || (Content.StartsWith("<|", StringComparison.Ordinal) && Content.EndsWith("|>", StringComparison.Ordinal)) ||
        (Content.StartsWith("<｜", StringComparison.Ordinal) && Content.EndsWith("｜>", StringComparison.Ordinal));

    public static AddedToken Parse(JsonField field) => new(
        field.Get("id").Int(0, HfTokenizer.LargestId), field.Get("content").String(), field.Flag("special"),
        field.Find("normalized")?.Bool() ?? true, field.Flag("lstrip"), field.Flag("rstrip"), field.Flag("single_word"));
}

/// <summary>A part of a text: an added token, or (Id null) text between them.</summary>
internal readonly record struct Section(int? Id, int Start, int Length);

/// <summary>Finds added tokens in a text: the leftmost first, of several at one place the longest.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly SearchValues<string>? _anywhere;
    private readonly Dictionary<char, (string Text, AddedToken Token)[]> _byFirstChar;

    /// <summary>A matcher for tokens and the texts by which they are found.</summary>
    public AddedTokenMatcher(IEnumerable<(string Text, AddedToken Token)> tokens)
    {
        var all = tokens.Where(entry => entry.Text.Length > 0).ToArray();
        _byFirstChar = all.GroupBy(entry => entry.Text[0]).ToDictionary(group => group.Key, group => group.OrderByDescending(entry => entry.Text.Length).ToArray());
        if (all.Length > 0) _anywhere = SearchValues.Create([.. all.Select(entry => entry.Text)], StringComparison.Ordinal);
    }

    /// <summary>The sections of a text, in order.</summary>
    public List<Section> Split(string text)
    {
        var sections = new List<Section>();
        int done = 0, from = 0;
        while (_anywhere is not null && from < text.Length)
        {
            int next = text.AsSpan(from).IndexOfAny(_anywhere);
            if (next < 0) break;
            int start = from + next;
            var (content, token) = LongestAt(text, start);
            int end = from = start + content.Length;
            if (token.IsSingleWord && IsInsideWord(text, start, end)) continue;
            if (token.StripsLeft)
                while (start > done && char.IsWhiteSpace(text[start - 1])) start--;
            if (token.StripsRight)
                while (end < text.Length && char.IsWhiteSpace(text[end])) end++;
            if (start > done) sections.Add(new Section(null, done, start - done));
            sections.Add(new Section(token.Id, start, end - start));
            done = end;
            from = Math.Max(from, end);
        }
        if (done < text.Length) sections.Add(new Section(null, done, text.Length - done));
        return sections;
    }

    private (string Text, AddedToken Token) LongestAt(string text, int start) =>
        _byFirstChar[text[start]].First(entry => text.AsSpan(start).StartsWith(entry.Text, StringComparison.Ordinal));

    private static bool IsInsideWord(string text, int start, int end) =>
        (Rune.DecodeLastFromUtf16(text.AsSpan(0, start), out var before, out _) == OperationStatus.Done && IsWord(before)) ||
        (Rune.DecodeFromUtf16(text.AsSpan(end), out var after, out _) == OperationStatus.Done && IsWord(after));

    private static bool IsWord(Rune rune) => Rune.IsLetterOrDigit(rune) || rune.Value == '_';
}
