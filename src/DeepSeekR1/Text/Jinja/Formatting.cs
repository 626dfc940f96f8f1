using System.Globalization;
using System.Numerics;
using System.Text;

namespace DeepSeekR1.Text.Jinja;

/// <summary>Python's two ways of formatting: "%s" % value and "{}".format(value).</summary>
internal sealed partial class Operations
{
    private const int LargestWidth = 100_000;

    /// <summary><c>format % value</c>; a tuple gives several values, a dict named ones.</summary>
    public string Format(string format, object? value)
    {
        var result = new StringBuilder();
        var values = value is PyTuple tuple ? tuple.Items : [value];
        int next = 0;
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                result.Append(format[i]);
                continue;
            }
            object? item = null;
            bool isNamed = ++i < format.Length && format[i] == '(';
            if (isNamed)
            {
                int close = format.IndexOf(')', i);
                if (close < 0 || value is not PyDict dict) throw new JinjaException("format requires a mapping");
                if (!dict.TryGet(format[(i + 1)..close], out item)) throw new JinjaException($"no value for '{format[(i + 1)..close]}'");
                i = close + 1;
            }
            int start = i;
            while (i < format.Length && "-+ #0".Contains(format[i])) i++;
            string flags = format[start..i];
            int width = ReadNumber(format, ref i) ?? 0, precision = -1;
            if (i < format.Length && format[i] == '.')
            {
                i++;
                precision = ReadNumber(format, ref i) ?? 0;
            }
            char kind = i < format.Length ? format[i] : throw new JinjaException("incomplete format");
            if (kind == '%')
            {
                result.Append('%');
                continue;
            }
            if (!isNamed) item = next < values.Count ? values[next++] : throw new JinjaException("not enough arguments for format string");
            var style = new NumberStyle(kind, precision, flags.Contains('+') ? "+" : flags.Contains(' ') ? " " : "", "");
            string text = kind switch
            {
                's' => Cut(Text(item), precision),
                'r' => Cut(Repr(item), precision),
                'd' or 'i' or 'u' => NumberText(item is double number ? new BigInteger(number) : item, style with { Kind = 'd', Precision = -1 }),
                _ => NumberText(item, style),
            };
            char fill = flags.Contains('0') && kind is not ('s' or 'r') && !flags.Contains('-') ? '0' : ' ';
            result.Append(Pad(text, width, fill, flags.Contains('-') ? '<' : fill == '0' ? '=' : '>'));
            Meter.Make(text.Length + width);
        }
        if (value is PyTuple && next < values.Count) throw new JinjaException("not all arguments converted during string formatting");
        return Meter.Made(result.ToString());
    }

    /// <summary><c>format.format(...)</c> with fields such as {}, {0}, {name}, {0.attribute}, {name!r:>10}.</summary>
    public string FormatFields(string format, Arguments arguments)
    {
        var result = new StringBuilder();
        int automatic = 0;
        for (int i = 0; i < format.Length; i++)
        {
            char c = format[i];
            if (c is '{' or '}' && i + 1 < format.Length && format[i + 1] == c)
            {
                result.Append(c);
                i++;
            }
            else if (c == '}') throw new JinjaException("single '}' in format string");
            else if (c == '{')
            {
                int close = format.IndexOf('}', i);
                if (close < 0) throw new JinjaException("single '{' in format string");
                result.Append(FormatField(format[(i + 1)..close], arguments, ref automatic));
                i = close;
            }
            else result.Append(c);
        }
        return Meter.Made(result.ToString());
    }

    private string FormatField(string field, Arguments arguments, ref int automatic)
    {
        if (field.Contains('{')) throw new JinjaException("nested fields in format strings are not supported");
        int colon = field.IndexOf(':');
        string specification = colon < 0 ? "" : field[(colon + 1)..], name = colon < 0 ? field : field[..colon];
        string conversion = "";
        if (name.IndexOf('!') is >= 0 and var bang) (name, conversion) = (name[..bang], name[(bang + 1)..]);
        int end = name.AsSpan().IndexOfAny('.', '[');
        string first = end < 0 ? name : name[..end];
        object? value;
        if (first.Length == 0 || int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            int index = first.Length == 0 ? automatic++ : int.Parse(first, CultureInfo.InvariantCulture);
            value = index < arguments.Positional.Count ? arguments.Positional[index] : throw new JinjaException("not enough arguments for format string");
        }
        else if (!arguments.Named.TryGetValue(first, out value)) throw new JinjaException($"no value for '{first}'");
        for (int i = first.Length; i < name.Length;)
        {
            bool isItem = name[i] == '[';
            int stop = isItem ? name.IndexOf(']', i) : name.AsSpan(i + 1).IndexOfAny('.', '[') is >= 0 and var next ? i + 1 + next : name.Length;
            if (stop < 0) throw new JinjaException("expected ']' in format string");
            string key = name[(i + 1)..stop];
            value = !isItem ? GetAttribute(value, key) : GetItem(value, BigInteger.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : key);
            i = stop + (isItem ? 1 : 0);
        }
        value = conversion switch { "" => value, "s" => Text(value), "r" => Repr(value), _ => throw new JinjaException($"unknown conversion '{conversion}'") };
        return FormatSpecified(value, specification);
    }

    /// <summary>[[fill]align][sign][0][width][,][.precision][kind].</summary>
    private string FormatSpecified(object? value, string specification)
    {
        int i = 0;
        char fill = ' ', align = '\0';
        if (specification.Length > 1 && specification[1] is '<' or '>' or '^' or '=') (fill, align, i) = (specification[0], specification[1], 2);
        else if (specification.Length > 0 && specification[0] is '<' or '>' or '^' or '=') (align, i) = (specification[0], 1);
        string sign = i < specification.Length && specification[i] is '+' or ' ' ? specification[i++].ToString() : "";
        if (i < specification.Length && specification[i] == '-') i++;
        if (i < specification.Length && specification[i] == '0' && align == '\0') (fill, align) = ('0', '=');
        int width = ReadNumber(specification, ref i) ?? 0, precision = -1;
        string grouping = i < specification.Length && specification[i] is ',' or '_' ? specification[i++].ToString() : "";
        if (i < specification.Length && specification[i] == '.')
        {
            i++;
            precision = ReadNumber(specification, ref i) ?? 0;
        }
        char kind = i < specification.Length ? specification[i++] : '\0';
        if (i < specification.Length) throw new JinjaException($"invalid format specification '{specification}'");
        bool isNumber = value is BigInteger or double || (value is bool && kind is not ('\0' or 's'));
        string text = isNumber ? NumberText(value, new NumberStyle(kind, precision, sign, grouping)) : Cut(Text(value), precision);
        Meter.Make(text.Length + width);
        return Pad(text, width, fill, align == '\0' ? (isNumber ? '>' : '<') : align);
    }

    private static string NumberText(object? value, NumberStyle style)
    {
        bool isInteger = TryInteger(value, out var integer);
        if (!isInteger && value is not double) throw new JinjaException(UndefinedComplaint(value) ?? $"a number is required, not {TypeName(value)}");
        double number = value is double given ? given : (double)integer;
        int precision = style.Precision < 0 ? 6 : style.Precision;
        bool isNegative = isInteger ? integer.Sign < 0 : number < 0;
        integer = BigInteger.Abs(integer);
        number = Math.Abs(number);
        string digits = style.Kind switch
        {
            'd' or 'n' or '\0' when isInteger => integer.ToString(style.Grouping.Length > 0 ? "N0" : "D", CultureInfo.InvariantCulture),
            'x' when isInteger => integer.ToString("x", CultureInfo.InvariantCulture).TrimStart('0') is { Length: > 0 } hex ? hex : "0",
            'X' when isInteger => integer.ToString("X", CultureInfo.InvariantCulture).TrimStart('0') is { Length: > 0 } hex ? hex : "0",
            'f' or 'F' => number.ToString((style.Grouping.Length > 0 ? "N" : "F") + precision, CultureInfo.InvariantCulture),
            'e' => number.ToString("0." + new string('0', precision) + "e+00", CultureInfo.InvariantCulture),
            'g' => FloatText(number) is var text && text.EndsWith(".0", StringComparison.Ordinal) ? text[..^2] : FloatText(number),
            '%' => (number * 100).ToString("F" + precision, CultureInfo.InvariantCulture) + "%",
            '\0' => style.Precision < 0 ? FloatText(number) : number.ToString("G" + style.Precision, CultureInfo.InvariantCulture),
            _ => throw new JinjaException($"unknown format code '{style.Kind}' for '{TypeName(value)}'"),
        };
        if (style.Grouping == "_") digits = digits.Replace(',', '_');
        return (isNegative ? "-" : style.Sign) + digits;
    }

    private static string Cut(string text, int precision) =>
        precision < 0 || PythonString.Length(text) <= precision ? text : string.Concat(PythonString.Characters(text).Take(precision));

    private static string Pad(string text, int width, char fill, char align)
    {
        int missing = width - PythonString.Length(text);
        if (missing <= 0) return text;
        string padding = new(fill, missing);
        int signLength = text.Length > 0 && text[0] is '-' or '+' or ' ' ? 1 : 0;
        return align switch
        {
            '<' => text + padding,
            '^' => padding[..(missing / 2)] + text + padding[(missing / 2)..],
            '=' => text[..signLength] + padding + text[signLength..],
            _ => padding + text,
        };
    }

    private static int? ReadNumber(string text, ref int position)
    {
        int start = position, number = 0;
        while (position < text.Length && char.IsAsciiDigit(text[position]))
        {
            number = (number * 10) + (text[position++] - '0');
            if (number > LargestWidth) throw new JinjaException($"widths over {LargestWidth} are not supported");
        }
        return position > start ? number : null;
    }

    private sealed record NumberStyle(char Kind, int Precision, string Sign, string Grouping);
}
