using System.Text;
using System.Text.RegularExpressions;

namespace DeepSeekR1.Rewards;

/// <summary>
/// Compares plain numbers exactly (1/2 = 0.5 = \frac{1}{2}, 1,000 = 1000, 50 % = 0.5, $5 = 5) and everything else as text, without regard to
/// case, white space and LaTeX dress. Where LaTeX remains that only algebra could compare, it does not judge.
/// </summary>
public sealed partial class PlainEquivalence : IAnswerEquivalence
{
    /// <summary>Longer texts are essays, not answers; they are right only when they equal the reference letter by letter.</summary>
    private const int MaxLength = 4000;

    /// <inheritdoc/>
    public bool? AreEquivalent(string gold, string answer)
    {
        ArgumentNullException.ThrowIfNull(gold);
        ArgumentNullException.ThrowIfNull(answer);
        if (gold.Length > MaxLength || answer.Length > MaxLength) return gold.Trim() == answer.Trim();
        string expected = Normalize(gold), given = Normalize(answer);
        if (expected.Length == 0) return null;
        if (given.Length == 0) return false;
        if (string.Equals(expected, given, StringComparison.OrdinalIgnoreCase)) return true;
        if (PlainNumber.Parse(expected) is { } number && PlainNumber.Parse(given) is { } other) return AreEqual(number, other);
        return NeedsAlgebra(expected) || NeedsAlgebra(given) ? null : false;
    }

    /// <summary>Units count when both name one; a per cent sign is either a unit or a division by 100.</summary>
    private static bool AreEqual(PlainNumber gold, PlainNumber answer)
    {
        bool mayDropUnit = gold.Unit == answer.Unit || gold.Unit.Length == 0 || answer.Unit.Length == 0;
        if (mayDropUnit && gold.HasSameValueAs(answer)) return true;
        if (gold.Unit == "%" && answer.Unit.Length == 0) return gold.AsFractionOfOne().HasSameValueAs(answer);
        return answer.Unit == "%" && gold.Unit.Length == 0 && answer.AsFractionOfOne().HasSameValueAs(gold);
    }

    private static bool NeedsAlgebra(string text) => text.Contains('\\', StringComparison.Ordinal) || text.Contains('^', StringComparison.Ordinal);

    /// <summary>Takes off what dresses an answer up: dollar signs around it, \text, bold, quotes, spacing, a closing full stop.</summary>
    internal static string Normalize(string text)
    {
        string bare = Width(text);
        bare = Spacing().Replace(bare, "");
        bare = bare.Replace("{,}", ",", StringComparison.Ordinal).Replace(@"\%", "%", StringComparison.Ordinal).Replace(@"\div", "/", StringComparison.Ordinal)
            .Replace(@"\left", "", StringComparison.Ordinal).Replace(@"\right", "", StringComparison.Ordinal);
        bare = Degrees().Replace(bare, "°");
        bare = TextCommands().Replace(bare, "$1");
        for (int before = -1; before != bare.Length;)
        {
            before = bare.Length;
            bare = Unwrap(bare.Trim().TrimEnd('.', '。', ',', ';').TrimEnd().TrimStart('=', ':').TrimStart());
        }
        return WhiteSpace().Replace(bare.Replace(@"\$", "$", StringComparison.Ordinal), " ");
    }

    private static string Unwrap(string text)
    {
        foreach (var (open, close) in ((string, string)[])[("$", "$"), (@"\(", @"\)"), (@"\[", @"\]"), ("**", "**"), ("`", "`"), ("\"", "\""), ("“", "”")])
            if (text.Length > open.Length + close.Length && text.StartsWith(open, StringComparison.Ordinal) && text.EndsWith(close, StringComparison.Ordinal))
                return text[open.Length..^close.Length];
        bool isLetteredChoice = text.Length == 3 && text[0] == '(' && text[2] == ')' && char.IsAsciiLetter(text[1]);
        return isLetteredChoice ? text[1..2] : text;
    }

    /// <summary>Full-width ASCII and the minus signs become the characters that they stand for.</summary>
    private static string Width(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (char c in text)
            plain.Append(c switch
            {
                >= '！' and <= '～' => (char)(c - '！' + '!'),
                '−' or '–' or '﹣' => '-',
                _ => c,
            });
        return plain.ToString();
    }

    [GeneratedRegex(@"\\[,!;: ]", RegexOptions.CultureInvariant)]
    private static partial Regex Spacing();

    [GeneratedRegex(@"\^(?:\{\\circ\}|\\circ)", RegexOptions.CultureInvariant)]
    private static partial Regex Degrees();

    [GeneratedRegex(@"\\(?:text|textbf|textit|textrm|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}", RegexOptions.CultureInvariant)]
    private static partial Regex TextCommands();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex WhiteSpace();
}
