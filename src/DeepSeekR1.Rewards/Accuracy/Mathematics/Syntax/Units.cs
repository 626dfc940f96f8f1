using System.Collections.Frozen;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>What is counted or measured, as one text per meaning: "inches", "in." and "inch" are the same.</summary>
internal static class Units
{
    private const int MaxWords = 5;

    private static readonly FrozenDictionary<string, string> _names = new (string Name, string[] Others)[]
    {
        ("m", ["meter", "metre"]), ("cm", ["centimeter", "centimetre"]), ("mm", ["millimeter", "millimetre"]), ("km", ["kilometer", "kilometre"]),
        ("in", ["inch", "inches"]), ("ft", ["foot", "feet"]), ("yd", ["yard"]), ("mi", ["mile"]),
        ("g", ["gram", "gm"]), ("kg", ["kilogram"]), ("mg", ["milligram"]), ("lb", ["pound", "lbs"]), ("oz", ["ounce"]), ("ton", ["tonne"]),
        ("s", ["sec", "second"]), ("min", ["minute", "mins"]), ("h", ["hr", "hour", "hrs"]), ("ms", ["millisecond"]), ("yr", ["year"]),
        ("l", ["liter", "litre"]), ("ml", ["milliliter", "millilitre"]), ("gal", ["gallon"]),
        ("dollar", ["usd", "us dollar", "us dollars"]), ("cent", ["¢"]), ("euro", ["eur"]),
        ("mph", ["mile per hour", "miles per hour"]), ("rad", ["radian"]), ("n", ["newton"]), ("j", ["joule"]), ("w", ["watt"]), ("hz", ["hertz"]), ("v", ["volt"]),
        ("", ["unit"]),
    }.SelectMany(unit => unit.Others.Append(unit.Name).Select(name => (name, unit.Name))).ToFrozenDictionary(pair => pair.name, pair => pair.Name);

    /// <summary>Words behind a number that change its value or make a condition of it: "5 million" is not 5.</summary>
    private static readonly FrozenSet<string> _notUnits = new[]
    {
        "to", "plus", "minus", "times", "over", "mod", "pi", "squared", "cubed", "factorial", "half", "halves", "third", "thirds", "quarter", "quarters", "more",
        "less", "hundred", "hundreds", "thousand", "thousands", "million", "millions", "billion", "billions", "trillion", "trillions", "dozen", "dozens",
        "pair", "pairs", "score", "if", "when", "where", "for", "not", "is", "are", "but", "base", "than", "with", "without", "by", "infinity", "root", "power",
        "point", "negative", "positive", "equals", "divided", "remainder", "no", "none", "almost", "about", "approximately", "as", "maybe", "either", "nor",
        "twice", "thrice", "double", "doubled", "triple", "tripled", "halved", "fold", "gross", "grand", "lakh", "crore", "tens", "ones", "k", "inverse", "reciprocal",
        "wrong", "incorrect", "false", "untrue", "never", "perhaps", "possibly", "probably", "roughly", "around", "nearly", "guess", "unless", "except", "and", "or",
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "twenty", "thirty", "forty", "fifty",
    }.ToFrozenSet();

    /// <summary>Five tenths are not five.</summary>
    private static readonly FrozenSet<string> _parts = new[]
    {
        "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "sixteenth", "twentieth", "thirtieth", "fiftieth", "sixtieth",
        "hundredth", "thousandth", "millionth", "billionth",
    }.ToFrozenSet();

    /// <summary>
    /// Two or three letters behind a number that are a unit or a word, not a product of variables: cm, men, but not ab or xyz.
    /// </summary>
    public static bool IsShortUnit(string letters, bool hasSpace)
    {
        string name = letters.ToLowerInvariant();
        if (name.Length > 1 && (name == "us" || _names.ContainsKey(name))) return true;
        bool looksLikeProduct = name[0] < name[1] && (name.Length < 3 || name[1] < name[2]);
        return hasSpace && name.Length == 3 && !looksLikeProduct && name.AsSpan().ContainsAny("aeiou");
    }

    /// <summary>The unit that the words name, empty for one that says nothing ("units"); null where they are no unit.</summary>
    /// <param name="words">Lower case; "/" for per, "^2" behind a word.</param>
    public static string? Normalize(IReadOnlyList<string> words)
    {
        if (words.Count == 0 || words.Count > MaxWords) return null;
        var parts = new List<string>();
        string power = "";
        foreach (string word in words)
        {
            if (_notUnits.Contains(word) || _parts.Contains(Singular(word)) || word.Any(IsNumeral)) return null;
            if (word is "square" or "sq" or "cubic" or "cu") power = word[0] == 's' ? "^2" : "^3";
            else if (word is "per" or "/" or "a" or "an") parts.Add("/");
            else if (word[0] == '^') parts.Add(word);
            else if (word is not ("the" or "of" or "us"))
            {
                parts.Add(Canonical(word) is { Length: > 0 } name ? name + power : "");
                power = "";
            }
        }
        string unit = string.Join(' ', parts.Where(part => part.Length > 0)).Replace(" ^", "^", StringComparison.Ordinal);
        return _names.GetValueOrDefault(unit, unit) is "mi / h" ? "mph" : unit;
    }

    private static string Canonical(string word) => _names.GetValueOrDefault(word) ?? _names.GetValueOrDefault(Singular(word)) ?? Singular(word);

    private static string Singular(string word) =>
        word.Length > 3 && word[^1] == 's' && word[^2] != 's' ? word[..^1] : word;

    private static bool IsNumeral(char c) => "十百千万亿萬億半分或和".Contains(c, StringComparison.Ordinal);
}
