using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace DeepSeekR1.Text.Tokenization;

/// <summary>A stretch of text, found by a pattern or standing between two finds.</summary>
internal readonly record struct Stretch(int Start, int Length, bool IsMatch);

/// <summary>Cuts a text into matches and what lies between: every character belongs to exactly one stretch.</summary>
internal delegate void MatchFinder(ReadOnlySpan<char> text, List<Stretch> found);

/// <summary>
/// A pattern of tokenizer.json: a literal string or a regular expression in Oniguruma's dialect, matched by .NET's engine.
/// </summary>
/// <remarks>
/// .NET matches UTF-16 units, Oniguruma code points: \p{L} must match a letter above U+FFFF. So texts with such characters are matched
/// through a shadow in which each of them is one character of the same general category.
/// </remarks>
internal sealed class SplitPattern
{
    /// <summary>A pattern comes from an untrusted file; one that backtracks without end is stopped.</summary>
    private static readonly TimeSpan _longestMatch = TimeSpan.FromSeconds(10);

    private readonly Regex _regex;
    private readonly JsonField _origin;

    private SplitPattern(Regex regex, JsonField origin) => (_regex, _origin) = (regex, origin);

    /// <summary>Reads <c>{"String": "..."}</c> or <c>{"Regex": "..."}</c>.</summary>
    public static SplitPattern Parse(JsonField pattern)
    {
        if (pattern.Find("Regex") is { } regex) return FromRegex(regex.String(), regex);
        if (pattern.Find("String") is { } text) return FromRegex(Regex.Escape(text.String()), text);
        throw pattern.Error("expected {\"String\": ...} or {\"Regex\": ...}");
    }

    /// <summary>A pattern in Oniguruma's dialect; <paramref name="origin"/> is named where it cannot be used.</summary>
    public static SplitPattern FromRegex(string pattern, JsonField origin)
    {
        if (pattern.Any(char.IsSurrogate)) throw origin.Error("patterns with characters above U+FFFF are not supported");
        try
        {
            return new SplitPattern(new Regex(Translate(pattern), RegexOptions.Compiled | RegexOptions.CultureInvariant, _longestMatch), origin);
        }
        catch (ArgumentException failure)
        {
            throw new R1Exception($"{origin.Error("the pattern cannot be used").Message} {failure.Message}", failure);
        }
    }

    /// <summary>Matches and gaps, in order.</summary>
    public void Find(ReadOnlySpan<char> text, List<Stretch> found)
    {
        try
        {
            if (text.IndexOfAnyInRange('\uD800', '\uDFFF') < 0) FindIn(text, found);
            else FindThroughShadow(text, found);
        }
        catch (RegexMatchTimeoutException failure)
        {
            throw new R1Exception(_origin.Error($"the pattern takes over {_longestMatch.TotalSeconds} s on one piece of text; it backtracks without bound").Message, failure);
        }
    }

    /// <summary>The text with each match replaced.</summary>
    public string Replace(string text, string replacement)
    {
        var found = new List<Stretch>();
        Find(text, found);
        var result = new StringBuilder(text.Length);
        foreach (var stretch in found)
            if (stretch.IsMatch) result.Append(replacement);
            else result.Append(text, stretch.Start, stretch.Length);
        return result.ToString();
    }

    private void FindIn(ReadOnlySpan<char> text, List<Stretch> found)
    {
        int end = 0;
        foreach (var match in _regex.EnumerateMatches(text))
        {
            if (match.Length == 0) continue;
            if (match.Index > end) found.Add(new Stretch(end, match.Index - end, false));
            found.Add(new Stretch(match.Index, match.Length, true));
            end = match.Index + match.Length;
        }
        if (end < text.Length) found.Add(new Stretch(end, text.Length - end, false));
    }

    private void FindThroughShadow(ReadOnlySpan<char> text, List<Stretch> found)
    {
        char[] shadow = ArrayPool<char>.Shared.Rent(text.Length);
        int[] starts = ArrayPool<int>.Shared.Rent(text.Length + 1);
        int length = 0, position = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            starts[length] = position;
            shadow[length++] = rune.IsBmp ? (char)rune.Value : StandIn(Rune.GetUnicodeCategory(rune));
            position += rune.Utf16SequenceLength;
        }
        starts[length] = position;
        int before = found.Count;
        FindIn(shadow.AsSpan(0, length), found);
        for (int i = before; i < found.Count; i++)
        {
            var (start, count, isMatch) = found[i];
            found[i] = new Stretch(starts[start], starts[start + count] - starts[start], isMatch);
        }
        ArrayPool<char>.Shared.Return(shadow);
        ArrayPool<int>.Shared.Return(starts);
    }

    /// <summary>A character of the same category that no pattern is likely to name.</summary>
    private static char StandIn(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => '\u0400',
        UnicodeCategory.LowercaseLetter => '\u0450',
        UnicodeCategory.TitlecaseLetter => '\u01F2',
        UnicodeCategory.ModifierLetter => '\u02B0',
        UnicodeCategory.OtherLetter => '\u0E01',
        UnicodeCategory.NonSpacingMark => '\u0300',
        UnicodeCategory.SpacingCombiningMark => '\u0903',
        UnicodeCategory.EnclosingMark => '\u0488',
        UnicodeCategory.DecimalDigitNumber => '\u0660',
        UnicodeCategory.LetterNumber => '\u2182',
        UnicodeCategory.OtherNumber => '\u2460',
        UnicodeCategory.ConnectorPunctuation => '\u203F',
        UnicodeCategory.DashPunctuation => '\u2010',
        UnicodeCategory.OpenPunctuation => '\u2045',
        UnicodeCategory.ClosePunctuation => '\u2046',
        UnicodeCategory.InitialQuotePunctuation => '\u00AB',
        UnicodeCategory.FinalQuotePunctuation => '\u00BB',
        UnicodeCategory.OtherPunctuation => '\u00A1',
        UnicodeCategory.MathSymbol => '\u00B1',
        UnicodeCategory.CurrencySymbol => '\u00A2',
        UnicodeCategory.ModifierSymbol => '\u00A8',
        UnicodeCategory.OtherSymbol => '\u00A9',
        UnicodeCategory.Format => '\u00AD',
        UnicodeCategory.PrivateUse => '\uE000',
        _ => '\u0378',
    };

    /// <summary>
    /// \w in Oniguruma has all marks, letter numbers, circled letters and Latin-1's superscripts and fractions; .NET's has not. Other
    /// classes mean the same in both.
    /// </summary>
    private static string Translate(string pattern)
    {
        const string word = @"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\u24B6-\u24E9\u00B2\u00B3\u00B9\u00BC-\u00BE";
        var result = new StringBuilder(pattern.Length);
        bool inClass = false;
        for (int i = 0; i < pattern.Length; i++)
        {
            char c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
            {
                char escaped = pattern[++i];
                result.Append(escaped switch
                {
                    'w' => inClass ? word : $"[{word}]",
                    'W' when !inClass => $"[^{word}]",
                    _ => $"\\{escaped}",
                });
                continue;
            }
            if (c == '[') inClass = true;
            else if (c == ']') inClass = false;
            result.Append(c);
        }
        return result.ToString();
    }
}
