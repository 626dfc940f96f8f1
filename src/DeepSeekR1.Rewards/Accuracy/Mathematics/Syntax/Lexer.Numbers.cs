using System.Text;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>Digits with their separators.</summary>
internal sealed partial class Lexer
{
    private Token ReadNumber(int start)
    {
        var digits = new StringBuilder();
        int end = start, run = Digits(end);
        digits.Append(Text, start, run);
        end += run;
        if (char.IsAsciiLetterUpper(At(end)) && BasedDigits(start) is > 0 and var based) return Make(TokenKind.Number, start, start + based, Text.Substring(start, based));

        bool mayGroup = run is >= 1 and <= 3;
        while (mayGroup && SeparatorLength(end, isAfterZero: Text[start] == '0') is > 0 and var separator)
        {
            digits.Append(Text, end + separator, 3);
            end += separator + 3;
        }
        if (At(end) == '.' && char.IsAsciiDigit(At(end + 1)))
        {
            run = Digits(end + 1);
            digits.Append('.').Append(Text, end + 1, run);
            end += run + 1;
        }
        end = AppendRepeating(digits, end);
        end = AppendExponent(digits, end);
        return Make(TokenKind.Number, start, end, digits.ToString());
    }

    private int Digits(int position)
    {
        int end = position;
        while (char.IsAsciiDigit(At(end))) end++;
        return end - position;
    }

    /// <summary>The length of digits like 1A before a subscript; 0 when these are none.</summary>
    private int BasedDigits(int start)
    {
        int end = start;
        while (char.IsAsciiDigit(At(end)) || char.IsAsciiLetterUpper(At(end))) end++;
        return At(end) == '_' ? end - start : 0;
    }

    /// <summary>The length of a thousands separator before exactly three digits: "," "{,}" ",\!" "\!," "\,"; 0 when none is there.</summary>
    private int SeparatorLength(int position, bool isAfterZero)
    {
        if (isAfterZero) return 0;
        int length = Text.AsSpan(position) switch
        {
            ['{', ',', '}', ..] => 3,
            [',', '\\', '!', ' ', ..] => 4,
            [',', '\\', '!', ..] => 3,
            ['\\', '!', ',', ..] => 3,
            ['\\', ',', ..] or ['\\', '!', ..] => 2,
            [',', var first, ..] when !CommasSeparate || first == '0' => 1,
            _ => 0,
        };
        return length > 0 && Digits(position + length) == 3 ? length : 0;
    }

    /// <summary>0.1\overline{6} becomes 0.1(6).</summary>
    private int AppendRepeating(StringBuilder digits, int end)
    {
        bool isFresh = At(end) == '.' && digits.Length > 0;
        int command = isFresh ? end + 1 : end;
        if (!isFresh && !digits.ToString().Contains('.', StringComparison.Ordinal)) return end;
        int length = IsCommand(command, @"\overline") ? 9 : IsCommand(command, @"\bar") ? 4 : IsCommand(command, @"\dot") ? 4 : 0;
        if (length == 0 || At(command + length) != '{') return end;
        int first = command + length + 1, count = Digits(first);
        if (count == 0 || At(first + count) != '}') return end;
        if (isFresh) digits.Append('.');
        digits.Append('(').Append(Text, first, count).Append(')');
        return first + count + 1;
    }

    private int AppendExponent(StringBuilder digits, int end)
    {
        if (At(end) is not ('e' or 'E')) return end;
        int first = At(end + 1) is '+' or '-' ? end + 2 : end + 1, count = Digits(first);
        if (count is 0 or > 6 || char.IsAsciiLetter(At(first + count)) || At(first + count) == '.') return end;
        digits.Append('e').Append(Text, end + 1, first + count - end - 1);
        return first + count;
    }
}
