using System.Buffers;
using System.Numerics;
using System.Text.RegularExpressions;

namespace DeepSeekR1.Rewards;

/// <summary>
/// A written number read exactly: integer, decimal, thousands separators, fraction, mixed number, currency sign, trailing unit.
/// </summary>
/// <param name="Numerator">Of the value without unit; 50 for "50 %".</param>
/// <param name="Denominator">Greater than zero; the fraction need not be reduced.</param>
/// <param name="Unit">Lower-case words after the number; <c>%</c> for per cent; empty when there are none.</param>
internal readonly partial record struct PlainNumber(BigInteger Numerator, BigInteger Denominator, string Unit)
{
    /// <summary>Longer texts are not numbers that anybody writes as an answer.</summary>
    private const int MaxLength = 400;

    /// <summary>Words after a number that change its value, so that "5 million" is not 5.</summary>
    private static readonly HashSet<string> _valueWords =
    [
        "and", "or", "to", "plus", "minus", "times", "over", "mod", "pi", "squared", "cubed", "factorial", "half", "quarter", "more", "less",
        "hundred", "hundreds", "thousand", "thousands", "million", "millions", "billion", "billions", "trillion", "trillions",
        "dozen", "dozens", "pair", "pairs", "score",
    ];

    private static readonly SearchValues<char> _valueCharacters = SearchValues.Create("十百千万亿萬億半分或和");

    private const string OneLetterUnits = "mgshl";

    public bool HasSameValueAs(PlainNumber other) => Numerator * other.Denominator == other.Numerator * Denominator;

    /// <summary>The value of a percentage as a plain number.</summary>
    public PlainNumber AsFractionOfOne() => this with { Denominator = Denominator * 100, Unit = "" };

    /// <summary>Reads a text that <see cref="PlainEquivalence.Normalize"/> has cleaned; null when it is not one plain number.</summary>
    public static PlainNumber? Parse(string text)
    {
        if (text.Length > MaxLength) return null;
        Match match = Pattern().Match(text);
        if (!match.Success || ReadUnit(match.Groups["unit"].Value) is not { } unit) return null;

        var (numerator, denominator) = match.Groups["denominator"].Success
            ? Quotient(Decimal(match.Groups["numerator"].Value), Decimal(match.Groups["denominator"].Value))
            : Decimal(match.Groups["decimal"].Value);
        if (denominator.IsZero) return null;
        if (match.Groups["whole"].Success) numerator += Decimal(match.Groups["whole"].Value).Numerator * denominator;
        bool isNegative = match.Groups["sign"].Value == "-" != (match.Groups["inner"].Value == "-");
        return new PlainNumber(isNegative ? -numerator : numerator, denominator, unit);
    }

    private static (BigInteger Numerator, BigInteger Denominator) Quotient(
        (BigInteger Numerator, BigInteger Denominator) a, (BigInteger Numerator, BigInteger Denominator) b) =>
        (a.Numerator * b.Denominator, a.Denominator * b.Numerator);

    private static (BigInteger Numerator, BigInteger Denominator) Decimal(string digits)
    {
        string plain = digits.Replace(",", "", StringComparison.Ordinal);
        int point = plain.IndexOf('.', StringComparison.Ordinal);
        if (point < 0) return (BigInteger.Parse(plain), BigInteger.One);
        return (BigInteger.Parse("0" + plain.Remove(point, 1)), BigInteger.Pow(10, plain.Length - point - 1));
    }

    /// <summary>Null when what follows the number is not a unit.</summary>
    private static string? ReadUnit(string tail)
    {
        string unit = tail.Trim().ToLowerInvariant();
        if (unit.Length == 0) return "";
        if (unit is "%" or "percent" or "per cent") return "%";
        if (!UnitPattern().IsMatch(unit) || unit.AsSpan().ContainsAny(_valueCharacters)) return null;

        string[] words = unit.Split(' ', '/', '·');
        if (words.Length > 4 || words.Any(_valueWords.Contains)) return null;
        bool isVariable = unit.Length == 1 && char.IsAscii(unit[0]) && !(tail[0] == ' ' && OneLetterUnits.Contains(unit[0], StringComparison.Ordinal));
        return isVariable ? null : string.Join(' ', words.Select(Singular));
    }

    private static string Singular(string word) => word.Length > 3 && word.EndsWith('s') && !word.EndsWith("ss", StringComparison.Ordinal) ? word[..^1] : word;

    private const string DecimalPattern = @"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+";

    [GeneratedRegex(
        @"^(?<sign>[+-])?\s*(?:US)?[$€£¥₹]?\s*" +
        @"(?:(?<whole>\d+)\s*\\[dt]?frac\{(?<numerator>\d+)\}\{(?<denominator>\d+)\}" +
        @"|(?<whole>\d+) (?<numerator>\d+)/(?<denominator>\d+)" +
        @"|\\[dt]?frac\{(?<inner>[+-]?)(?<numerator>" + DecimalPattern + @")\}\{(?<denominator>" + DecimalPattern + @")\}" +
        @"|\\[dt]?frac ?(?<numerator>\d) ?(?<denominator>\d)" +
        @"|(?<numerator>" + DecimalPattern + @") ?/ ?(?<denominator>" + DecimalPattern + @")" +
        @"|(?<inner>[+-]?)(?<decimal>" + DecimalPattern + @"))(?<unit>(?:[^\d.,].*)?)$",
        RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();

    [GeneratedRegex(@"^[\p{L}°]+\.?(?:[²³]|\^\{?[23]\}?)?(?:[ /·][\p{L}]+\.?(?:[²³]|\^\{?[23]\}?)?)*$", RegexOptions.CultureInvariant)]
    private static partial Regex UnitPattern();
}
