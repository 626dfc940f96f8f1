using System.Numerics;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>Numbers in other bases.</summary>
internal sealed partial class Parser
{
    private static readonly string[] _spokenBases =
        ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"];

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
