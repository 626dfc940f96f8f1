using System.Text.RegularExpressions;

namespace DeepSeekR1.Rewards;

/// <summary>
/// The last number of a text, which is its answer only where it stands alone: of "√5", "4 or 5", "x > 5", "not 5" and "5 million" the 5 is a part,
/// and a part is no answer.
/// </summary>
internal static partial class LastNumber
{
    /// <summary>What belongs to a number stands no further away.</summary>
    private const int Reach = 24;

    private const RegexOptions Options = RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.IgnorePatternWhitespace;

    /// <summary>The number; null where there is none, or the last one is a part of something.</summary>
    public static string? Find(string text)
    {
        var last = 0..0;
        foreach (ValueMatch match in Number().EnumerateMatches(text)) last = match.Index..(match.Index + match.Length);
        if (last.Equals(0..0)) return null;
        string before = text[Math.Max(0, last.Start.Value - Reach)..last.Start], after = text[last.End..Math.Min(text.Length, last.End.Value + Reach)];
        bool isOpen = before.AsSpan().TrimEnd(" $*\\") is [.., '(' or '[' or '{'];
        char closing = after.AsSpan().TrimStart(" $*\\") is [var first, ..] ? first : '\0';
        bool isPart = isOpen ? closing is not (')' or ']' or '}') : closing is ']' or '}'; // ")" may close what a sentence opened.
        return isPart || PartOfWhatPrecedes().IsMatch(before) || PartOfWhatFollows().IsMatch(after) ? null : text[last];
    }

    [GeneratedRegex(@"(?:(?<![\p{L}\d)\]}])[-−])?(?:[$€£¥₹] ?)?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:/\d+)?(?: ?\\?%)?|(?<![\d.])-?\.\d+", RegexOptions.CultureInvariant)]
    private static partial Regex Number();

    [GeneratedRegex("""
        (?: [\p{L}_\d.-[\u0E00-\u0E7F\u3040-\u9FFF\uAC00-\uD7AF]]           # x5, a_5, 4.5.5, but 等于5
          | (?: \w | [}^] \s* ) [({[]                                       # f(5), \frac{1}{5}, 10^{5}
          | \d (?: [^\S\n]+ | \s* [,;、] \s* | : | \s+ to \s+ | \s* \*\* ) \$? # 4 5, 1:5, 4 to 5
          | (?: (?<! [-=] | </?[a-z]+ ) > | [-+−–/^<≤≥≠±∓×·÷√∛~≈|] | (?<!\*) \* | [<>!] = ) \s* \$? \s* # > 5, but => 5, <b>5
          | \\ [a-z]+ \s*                                                   # \sqrt5, \ge 5
          | \b (?: n?or | not | never | and | than | between | least | most | minus | plus | times | by | over | except | without | beyond | about | around
                 | approximately | roughly | nearly | almost | maybe | perhaps | probably | possibly | either | below | above | under | exceeds ) \s+ \$?
          | n['’]t \s+ \$?
          | (?: [或和与到至除乘减加约非] | 不是 | 不等于 | 大于 | 小于 | 超过 | 至少 | 至多 | 约为 | 约是 ) \s*
        ) \z
        """, Options)]
    private static partial Regex PartOfWhatPrecedes();

    [GeneratedRegex("""
        \A
        (?: (?! (?: km | cm | mm | kg | mg | ml | lbs? | ft | mi | hrs? | mins? | [ap]m ) \b ) [a-z_½⅓⅔¼¾²³{([] # 5x, 5½, but 5km
          | \s* (?: [-+−/] \s* (?: [a-z] \b | [(\\] ) | \*(?!\*) | <(?!/) | [=^×·÷>≤≥≠±|] )                   # 5 - x, 5 = …
          | \s* \\ (?! text | mathrm | mbox | quad | circ | degree ) [a-z]                                       # 5\pi
          | \? | \.\. | … | : \S | \s* [万亿百千萬億半]
          | \s* (?: [mbtr]+illion | thousand | hundred | dozen | grand | lakh | crore | k | squared | cubed | factorial | pi | choose | minus | plus | times \s [a-z]
                  | mod | n?or | to | if | unless | halves | thirds | quarters | [a-z]+ths | and \s+ (?:a|one)\s | is \s+ (?: not | wrong | incorrect | false )
                  | is n['’]t ) \b
        )
        """, Options)]
    private static partial Regex PartOfWhatFollows();
}
