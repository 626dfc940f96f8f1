using System.Numerics;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>Numbers: decimal, repeating, mixed, scientific, in other bases.</summary>
internal sealed partial class Parser
{
    /// <summary>Longer numbers are no answers; conversion from decimal would become slow.</summary>
    private const int MaxDigits = 4000;

    private const int MaxDecimalExponent = 4000;

    private static readonly string[] _spokenBases =
        ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"];

    /// <summary>A number, with a base as its subscript, or a mixed number: 3\frac12, 3 1/2.</summary>
    private Node ParseNumber(Token token)
    {
        if (_current.Kind == TokenKind.Underscore) return ParseBase(token.Text);
        if (token.Text.Any(char.IsAsciiLetterUpper)) return Fail();
        var whole = ToNumber(token.Text);
        bool isInteger = token.Text.All(char.IsAsciiDigit);
        if (!isInteger || !TryReadProperFraction(out var fraction)) return whole;
        return new Number(whole.Value + fraction);
    }

    /// <summary>Reads \frac{1}{2} or 1/2 behind an integer; looks at digits only, so that nothing is parsed twice.</summary>
    private bool TryReadProperFraction(out Rational fraction)
    {
        fraction = 0;
        int end = _current.End;
        string? numerator, denominator;
        if (_current is { Kind: TokenKind.Command, Text: "frac" })
        {
            numerator = DigitsArgument(ref end);
            denominator = numerator is null ? null : DigitsArgument(ref end);
        }
        else
        {
            if (_current.Kind != TokenKind.Number || _lexer.Read(end) is not { Kind: TokenKind.Divide } slash) return false;
            var last = _lexer.Read(slash.End);
            (numerator, denominator, end) = (_current.Text, last.Kind == TokenKind.Number ? last.Text : null, last.End);
        }
        if (numerator is null || denominator is null || !IsProper(numerator, denominator, out fraction)) return false;
        _current = _current with { End = end };
        Advance();
        return true;
    }

    /// <summary>{12} or one digit at a position, which moves behind it; null when something else is there.</summary>
    private string? DigitsArgument(ref int position)
    {
        int start = _lexer.SkipBlank(position), end = start;
        if (start >= _lexer.Text.Length) return null;
        if (char.IsAsciiDigit(_lexer.Text[start]))
        {
            position = start + 1;
            return _lexer.Text[start..position];
        }
        if (_lexer.Text[start] != '{') return null;
        do end++;
        while (end < _lexer.Text.Length && char.IsAsciiDigit(_lexer.Text[end]));
        if (end == start + 1 || end >= _lexer.Text.Length || _lexer.Text[end] != '}') return null;
        position = end + 1;
        return _lexer.Text[(start + 1)..end];
    }

    private static bool IsProper(string numerator, string denominator, out Rational fraction)
    {
        fraction = 0;
        if (numerator.Length > MaxDigits || denominator.Length > MaxDigits || !numerator.All(char.IsAsciiDigit) || !denominator.All(char.IsAsciiDigit)) return false;
        BigInteger p = ParseDigits(numerator), q = ParseDigits(denominator);
        if (p.IsZero || p >= q) return false;
        fraction = new Rational(p, q);
        return true;
    }

    /// <summary>Digits with a point, a repeating part in round brackets and an exponent of ten.</summary>
    private Number ToNumber(string text)
    {
        int exponent = 0, e = text.IndexOf('e', StringComparison.Ordinal);
        if (e >= 0) (text, exponent) = (text[..e], int.Parse(text.AsSpan(e + 1)));
        if (text.Length > MaxDigits || Math.Abs(exponent) > MaxDecimalExponent)
        {
            Fail();
            return new Number(0);
        }
        int open = text.IndexOf('(', StringComparison.Ordinal);
        string repeating = open < 0 ? "" : text[(open + 1)..^1];
        if (open >= 0) text = text[..open];

        int point = text.IndexOf('.', StringComparison.Ordinal), decimals = point < 0 ? 0 : text.Length - point - 1;
        var digits = ParseDigits(point < 0 ? text : text.Remove(point, 1));
        var value = decimals == 0 ? new Rational(digits) : new Rational(digits, BigInteger.Pow(10, decimals));
        if (repeating.Length > 0) value += new Rational(ParseDigits(repeating), (BigInteger.Pow(10, repeating.Length) - 1) * BigInteger.Pow(10, decimals));
        return new Number(exponent == 0 ? value : value * Rational.Pow(10, exponent));
    }

    private static BigInteger ParseDigits(string digits) => digits.Length == 0 ? 0 : digits.Length <= 18 ? long.Parse(digits) : BigInteger.Parse(digits);

    /// <summary>1101_{2}, 204_5, 1A_{16}, 23_{\text{five}}.</summary>
    private Node ParseBase(string digits)
    {
        Advance();
        return InBase(digits, Subscript());
    }

    /// <summary>204 base 5.</summary>
    private Node ParseSpokenBase(Number number)
    {
        Advance();
        string radix = _current.Text;
        if (_current.Kind is not (TokenKind.Number or TokenKind.Word)) return Fail();
        Advance();
        return number.Value.TryInteger(out var digits) ? InBase(digits.ToString(), radix) : Fail();
    }

    private Node InBase(string digits, string radix)
    {
        int spoken = Array.IndexOf(_spokenBases, radix.ToLowerInvariant());
        if (spoken < 0 && (radix.Length > 2 || !radix.All(char.IsAsciiDigit) || radix.Length == 0)) return Fail();
        int b = spoken >= 0 ? spoken + 2 : int.Parse(radix);
        if (b is < 2 or > 36 || digits.Length > MaxDigits) return Fail();

        var value = BigInteger.Zero;
        foreach (char c in digits)
        {
            int digit = char.IsAsciiDigit(c) ? c - '0' : char.IsAsciiLetterUpper(c) ? c - 'A' + 10 : int.MaxValue;
            if (digit >= b) return Fail();
            value = (value * b) + digit;
        }
        return new BasedNumber(digits, b, new Rational(value));
    }
}
