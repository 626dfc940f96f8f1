using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>An answer as text: rid of its dress, as a key for textual equality, as words, as the letter of a choice.</summary>
internal static partial class AnswerText
{
    private static readonly SearchValues<char> _mathematicalSigns = SearchValues.Create(@"\=<>+*/^_|{}[]0123456789&%");

    private static readonly (string Open, string Close)[] _wrappers =
        [("$$", "$$"), ("$", "$"), (@"\(", @"\)"), (@"\[", @"\]"), ("**", "**"), ("`", "`"), ("\"", "\""), ("“", "”")];

    /// <summary>Takes off what dresses an answer up: dollar signs around it, bold, quotes, a closing full stop, full-width letters.</summary>
    public static string Clean(string text)
    {
        string plain = System.Text.Ascii.IsValid(text) ? text : Width(text);
        var bare = plain.AsSpan();
        for (int before = -1; before != bare.Length;)
        {
            before = bare.Length;
            bare = Unwrap(bare.Trim().TrimEnd(",;。").Trim());
            bool isFullStop = bare.EndsWith(".", StringComparison.Ordinal) && !bare.EndsWith(@"\.", StringComparison.Ordinal) && !bare.EndsWith("..", StringComparison.Ordinal);
            if (isFullStop) bare = bare[..^1].TrimEnd();
            bare = bare.TrimStart("=:").TrimStart();
        }
        string clean = bare.ToString();
        bool isMoney = clean.Contains('$', StringComparison.Ordinal) && clean.AsSpan().Count('$') == 1 && !clean.Contains(@"\$", StringComparison.Ordinal);
        return isMoney ? clean.Replace("US$", "$", StringComparison.Ordinal).Replace("$", @"\$", StringComparison.Ordinal) : clean;
    }

    /// <summary>Equal for texts that differ only in spacing and in commands without meaning.</summary>
    public static string Key(string clean)
    {
        var key = new StringBuilder(clean.Length);
        bool hasGap = false;
        for (int i = 0; i < clean.Length; i++)
        {
            char c = clean[i];
            int length = c == '\\' ? MeaninglessCommand(clean.AsSpan(i)) : 0;
            if (length > 0 || char.IsWhiteSpace(c))
            {
                i += Math.Max(length - 1, 0);
                hasGap = true;
                continue;
            }
            if (hasGap && key.Length > 0 && char.IsLetterOrDigit(key[^1]) && char.IsLetterOrDigit(c)) key.Append(' ');
            hasGap = false;
            bool isOneCharacterGroup = c == '{' && i + 2 < clean.Length && clean[i + 2] == '}' && key.Length > 0 && key[^1] is '^' or '_';
            key.Append(isOneCharacterGroup ? clean[i + 1] : c);
            if (isOneCharacterGroup) i += 2;
        }
        return key.ToString();
    }

    /// <summary>The words of an answer that is nothing but words, in lower case; null for mathematics.</summary>
    public static string? Words(string clean)
    {
        string bare = WithoutTextCommands(clean);
        if (bare.AsSpan().ContainsAny(_mathematicalSigns)) return null;
        var words = new StringBuilder();
        bool hasWord = false;
        foreach (ValueMatch match in Word().EnumerateMatches(bare))
        {
            var word = bare.AsSpan(match.Index, match.Length);
            if (words.Length == 0 && match.Length < bare.Length && word is "a" or "an" or "the") continue;
            hasWord |= match.Length > 1 && !IsMathematical(word.ToString());
            if (words.Length > 0) words.Append(' ');
            words.Append(word);
        }
        return hasWord && bare.IndexOf('(', StringComparison.Ordinal) <= 0 ? words.ToString().ToLowerInvariant() : null;
    }

    /// <summary>The letter of a choice: C, (C), \textbf{(C)}, "C. 12 apples", "option C"; null for anything else.</summary>
    public static char? Choice(string clean)
    {
        if (clean.Length > 200) return null;
        Match match = ChoiceLabel().Match(WithoutTextCommands(clean));
        return match.Success ? char.ToUpperInvariant(match.Groups["letter"].Value[0]) : null;
    }

    public static string WithoutTextCommands(string text) => text.Contains('\\', StringComparison.Ordinal) ? TextCommand().Replace(text, "${content}").Trim() : text;

    private static bool IsMathematical(string word) =>
        Vocabulary.Functions.ContainsKey(word) || Vocabulary.IsGreek(word) || word is "or" or "and" or "pi" or "inf" or "infinity" or "infty" or "oo" or "mod" or "in";

    /// <summary>The length of a spacing or sizing command at the start; 0 for another.</summary>
    private static int MeaninglessCommand(ReadOnlySpan<char> text)
    {
        int end = 1;
        while (end < text.Length && char.IsAsciiLetter(text[end])) end++;
        if (end == 1) return text.Length > 1 && text[1] is ',' or '!' or ';' or ':' or ' ' ? 2 : 0;
        return text[1..end] is "left" or "right" or "displaystyle" or "quad" or "big" or "Big" ? end : 0;
    }

    private static ReadOnlySpan<char> Unwrap(ReadOnlySpan<char> text)
    {
        foreach (var (open, close) in _wrappers)
        {
            bool isWrapped = text.Length > open.Length + close.Length && text.StartsWith(open, StringComparison.Ordinal) && text.EndsWith(close, StringComparison.Ordinal);
            if (isWrapped && !(close[0] == '$' && text[^(close.Length + 1)] == '\\')) return text[open.Length..^close.Length];
        }
        return text;
    }

    /// <summary>Full-width ASCII, signs of minus and written-out fractions become the characters that they stand for.</summary>
    private static string Width(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            string? fraction = c switch { '½' => "1/2", '⅓' => "1/3", '⅔' => "2/3", '¼' => "1/4", '¾' => "3/4", '⅛' => "1/8", _ => null };
            if (fraction is not null) plain.Append(' ').Append(fraction);
            else plain.Append(c switch { >= '！' and <= '～' => (char)(c - '！' + '!'), '−' or '–' or '﹣' => '-', _ => c });
        }
        return plain.ToString();
    }

    [GeneratedRegex(@"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|operatorname|textsf|texttt|emph)\s*\{(?<content>[^{}]*)\}", RegexOptions.CultureInvariant)]
    private static partial Regex TextCommand();

    [GeneratedRegex(@"[\p{L}\p{M}]+(?:['’-][\p{L}\p{M}]+)*", RegexOptions.CultureInvariant)]
    private static partial Regex Word();

    [GeneratedRegex(
        @"^(?:(?:option|choice|answer)\s+)?(?:(?<letter>[A-Za-z])|\((?<letter>[A-Za-z])\)|(?<letter>[A-Za-z])[.:)])(?:\s*$|(?<=[.:)])(?:\\?\s)+(?!(?:and|or)\b)(?!.*\([A-Za-z]\))(?-i:(?!.*(?<![\p{L}\d])[A-J](?:[.:;,)&/|]|\s*$))).*$)",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex ChoiceLabel();
}
