using System.Text;
using DeepSeekR1.Text.Unicode;

namespace DeepSeekR1.Text.Tokenization;

/// <summary>The normalizers of tokenizer.json: what happens to a text before it is cut.</summary>
internal static class Normalizer
{
    private const long LongestReplaced = 1 << 28;

    private const string Known = "Lowercase, NFC, NFD, NFKC, NFKD, Prepend, Replace, Sequence, Strip, StripAccents";

    /// <summary>Reads the field "normalizer".</summary>
    public static Func<string, string> Parse(JsonField field)
    {
        switch (field.Type)
        {
            case "Sequence":
                var parts = field.Get("normalizers").Items().Select(Parse).ToArray();
                return text => parts.Aggregate(text, (current, part) => part(current));
            case "NFC": return UnicodeNormalizer.ToNfc;
            case "NFD": return UnicodeNormalizer.ToNfd;
            case "NFKC": return UnicodeNormalizer.ToNfkc;
            case "NFKD": return UnicodeNormalizer.ToNfkd;
            case "Lowercase": return Lowercase;
            case "StripAccents": return StripMarks;
            case "Strip": return Strip(field.Flag("strip_left"), field.Flag("strip_right"));
            case "Prepend":
                string prefix = field.Get("prepend").String();
                return text => text.Length > 0 ? prefix + text : text;
            case "Replace": return Replace(field);
            default: throw field.UnknownKind(Known);
        }
    }

    private static Func<string, string> Replace(JsonField field)
    {
        string content = field.Get("content").String();
        if (field.Get("pattern").Find("String") is { } literal && literal.String() is { Length: > 0 } searched)
            return text => Bounded(text).Replace(searched, content, StringComparison.Ordinal);
        var pattern = SplitPattern.Parse(field.Get("pattern"));
        return text => pattern.Replace(Bounded(text), content);

        // A few replacements of one character by a thousand would fill every memory.
        string Bounded(string text) => (long)text.Length * content.Length <= LongestReplaced ? text
            : throw field.Error($"replacing in {text.Length} characters may make a text of over {LongestReplaced}");
    }

    /// <summary>Full lower-casing of single characters: only U+0130 becomes two.</summary>
    private static string Lowercase(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            if (rune.Value == 0x130) result.Append("i\u0307");
            else result.Append(Rune.ToLowerInvariant(rune));
        return result.ToString();
    }

    private static string StripMarks(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            if (!UnicodeNormalizer.IsMark(rune)) result.Append(rune);
        return result.ToString();
    }

    private static Func<string, string> Strip(bool left, bool right) => (left, right) switch
    {
        (true, true) => text => text.Trim(),
        (true, false) => text => text.TrimStart(),
        (false, true) => text => text.TrimEnd(),
        _ => text => text,
    };
}
