using System.Buffers;
using System.Globalization;
using System.Text;

namespace DeepSeekR1.Text.Jinja;

/// <summary>Python's strings are sequences of code points; .NET's of UTF-16 units. What depends on that is here.</summary>
internal static class PythonString
{
    /// <summary>Python's isspace for one character.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    /// <summary>Number of code points.</summary>
    public static int Length(string text)
    {
        int pairs = 0;
        for (int i = 0; i + 1 < text.Length; i++)
            if (char.IsSurrogatePair(text[i], text[i + 1])) pairs++;
        return text.Length - pairs;
    }

    /// <summary>The code points, each as a string.</summary>
    public static IEnumerable<string> Characters(string text)
    {
        for (int i = 0; i < text.Length;)
        {
            int length = i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]) ? 2 : 1;
            yield return text.Substring(i, length);
            i += length;
        }
    }

    /// <summary>The number of code points before a UTF-16 offset.</summary>
    public static int IndexOfOffset(string text, int offset) => offset < 0 ? -1 : Length(text[..offset]);

    /// <summary>Without the characters at its ends, by default white space.</summary>
    public static string Strip(string text, string? characters, bool left = true, bool right = true)
    {
        var set = characters?.EnumerateRunes().ToHashSet();
        var rest = text.AsSpan();
        while (left && Rune.DecodeFromUtf16(rest, out var first, out int length) != OperationStatus.NeedMoreData && IsStripped(first)) rest = rest[length..];
        while (right && Rune.DecodeLastFromUtf16(rest, out var last, out int length) != OperationStatus.NeedMoreData && IsStripped(last)) rest = rest[..^length];
        return rest.Length == text.Length ? text : rest.ToString();

        bool IsStripped(Rune rune) => set?.Contains(rune) ?? (rune.IsBmp && IsSpace((char)rune.Value));
    }

    /// <summary>split and rsplit; with a null separator at runs of white space, without empty parts.</summary>
    public static List<string> Split(string text, string? separator, int most, bool fromRight)
    {
        if (separator is { Length: 0 }) throw new JinjaException("empty separator");
        if (most < 0) most = int.MaxValue;
        var parts = separator is null ? SplitAtSpace(text, most, fromRight) : SplitAt(text, separator, most, fromRight);
        if (fromRight) parts.Reverse();
        return parts;
    }

    private static List<string> SplitAt(string text, string separator, int most, bool fromRight)
    {
        var parts = new List<string>();
        while (parts.Count < most)
        {
            int at = fromRight ? text.LastIndexOf(separator, StringComparison.Ordinal) : text.IndexOf(separator, StringComparison.Ordinal);
            if (at < 0) break;
            string before = text[..at], after = text[(at + separator.Length)..];
            parts.Add(fromRight ? after : before);
            text = fromRight ? before : after;
        }
        parts.Add(text);
        return parts;
    }

    private static List<string> SplitAtSpace(string text, int most, bool fromRight)
    {
        var parts = new List<string>();
        text = fromRight ? Strip(text, null, left: false) : Strip(text, null, right: false);
        while (text.Length > 0)
        {
            int at = -1;
            if (parts.Count < most) at = fromRight ? LastSpace(text) : FirstSpace(text);
            if (at < 0) break;
            parts.Add(fromRight ? text[(at + 1)..] : text[..at]);
            text = fromRight ? Strip(text[..at], null, left: false) : Strip(text[at..], null, right: false);
        }
        if (text.Length > 0) parts.Add(text);
        return parts;
    }

    private static int FirstSpace(string text)
    {
        for (int i = 0; i < text.Length; i++)
            if (IsSpace(text[i])) return i;
        return -1;
    }

    private static int LastSpace(string text)
    {
        for (int i = text.Length - 1; i >= 0; i--)
            if (IsSpace(text[i])) return i;
        return -1;
    }

    public static List<string> SplitLines(string text, bool keepEnds)
    {
        var lines = new List<string>();
        int start = 0;
        while (start < text.Length)
        {
            int end = start;
            while (end < text.Length && !(text[end] is >= '\n' and <= '\r' or >= '\x1c' and <= '\x1e' or '\x85' or '\u2028' or '\u2029')) end++;
            int next = end;
            if (next < text.Length) next += text[next] == '\r' && next + 1 < text.Length && text[next + 1] == '\n' ? 2 : 1;
            lines.Add(text[start..(keepEnds ? next : end)]);
            start = next;
        }
        return lines;
    }

    public static string Replace(string text, string old, string fresh, int most)
    {
        if (most < 0 && old.Length > 0) return text.Replace(old, fresh, StringComparison.Ordinal);
        if (most < 0) most = int.MaxValue;
        if (old.Length == 0) return ReplaceEmpty(text, fresh, most);
        var result = new StringBuilder();
        int start = 0;
        for (int i = 0; i < most; i++)
        {
            int at = text.IndexOf(old, start, StringComparison.Ordinal);
            if (at < 0) break;
            result.Append(text, start, at - start).Append(fresh);
            start = at + old.Length;
        }
        return result.Append(text, start, text.Length - start).ToString();
    }

    private static string ReplaceEmpty(string text, string fresh, int most)
    {
        var result = new StringBuilder();
        foreach (string character in Characters(text)) result.Append(most-- > 0 ? fresh : "").Append(character);
        return result.Append(most > 0 ? fresh : "").ToString();
    }

    public static string Upper(string text) => Map(text, rune => rune.Value == 0xDF ? "SS" : Rune.ToUpperInvariant(rune).ToString());

    public static string Lower(string text) => Map(text, rune => rune.Value == 0x130 ? "i\u0307" : Rune.ToLowerInvariant(rune).ToString());

    public static string Capitalize(string text)
    {
        string first = Characters(text).FirstOrDefault("");
        return Upper(first) + Lower(text[first.Length..]);
    }

    /// <summary>Python's title: a letter after a non-letter is upper case, the others are lower case.</summary>
    public static string Title(string text)
    {
        bool isInWord = false;
        return Map(text, rune =>
        {
            string mapped = isInWord ? Lower(rune.ToString()) : Upper(rune.ToString());
            isInWord = Rune.IsLetter(rune);
            return mapped;
        });
    }

    public static string SwapCase(string text) => Map(text, rune => Rune.IsUpper(rune) ? Lower(rune.ToString()) : Upper(rune.ToString()));

    /// <summary>True where there are characters and all of them are of the kind.</summary>
    public static bool All(string text, Func<Rune, bool> isOfKind) => text.Length > 0 && text.EnumerateRunes().All(isOfKind);

    /// <summary>True where no cased character is of the other case and at least one is of this.</summary>
    public static bool IsCased(string text, bool upper) =>
        text.EnumerateRunes().Any(rune => upper ? Rune.IsUpper(rune) : Rune.IsLower(rune)) &&
        !text.EnumerateRunes().Any(rune => upper ? Rune.IsLower(rune) : Rune.IsUpper(rune));

    public static bool IsNumeric(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    /// <summary>Space on both sides; of an odd rest the left gets more where the width is odd, as in Python.</summary>
    public static string Center(string text, int width, string fill)
    {
        int missing = width - Length(text);
        if (missing <= 0) return text;
        int left = (missing / 2) + (missing & width & 1);
        return Repeat(fill, left) + text + Repeat(fill, missing - left);
    }

    public static string Repeat(string text, int times) => times <= 0 ? "" : new StringBuilder(text.Length * times).Insert(0, text, times).ToString();

    private static string Map(string text, Func<Rune, string> map)
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) result.Append(map(rune));
        return result.ToString();
    }
}
