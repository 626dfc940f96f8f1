using System.Globalization;
using System.Numerics;
using System.Text;

namespace DeepSeekR1.Text.Jinja;

/// <summary>Values as text: Python's str and repr, and JSON.</summary>
internal sealed partial class Operations
{
    /// <summary>Python's str: what a template prints.</summary>
    public string Text(object? value) => value switch
    {
        string text => text,
        Undefined => "",
        _ => Repr(value),
    };

    /// <summary>Python's repr.</summary>
    public string Repr(object? value)
    {
        var result = new StringBuilder();
        WriteRepr(value, result);
        return result.ToString();
    }

    private void WriteRepr(object? value, StringBuilder result)
    {
        Meter.Step();
        int before = result.Length;
        switch (value)
        {
            case null: result.Append("None"); break;
            case bool flag: result.Append(flag ? "True" : "False"); break;
            case BigInteger integer: result.Append(integer.ToString(CultureInfo.InvariantCulture)); break;
            case double number: result.Append(FloatText(number)); break;
            case string text: WriteQuoted(text, result); break;
            case PyList list: WriteItems("[", list.Items, "]", result); break;
            case PyTuple tuple: WriteItems("(", tuple.Items, tuple.Items.Count == 1 ? ",)" : ")", result); break;
            case PyDict dict:
                string separator = "{";
                foreach (var (key, item) in dict.Items)
                {
                    result.Append(separator);
                    WriteRepr(key, result);
                    result.Append(": ");
                    WriteRepr(item, result);
                    separator = ", ";
                }
                result.Append(dict.Count == 0 ? "{}" : "}");
                break;
            case PyIterable { HasLength: true } view:
                result.Append(view.TypeName);
                WriteItems("([", view.Items, "])", result);
                break;
            case Undefined: result.Append("Undefined"); break;
            default: result.Append('<').Append(TypeName(value)).Append('>'); break;
        }
        if (value is not (Sequence or PyDict or PyIterable)) Meter.Make(result.Length - before);
    }

    private void WriteItems(string open, IReadOnlyList<object?> items, string close, StringBuilder result)
    {
        result.Append(open);
        for (int i = 0; i < items.Count; i++)
        {
            if (i > 0) result.Append(", ");
            WriteRepr(items[i], result);
        }
        result.Append(close);
    }

    private static void WriteQuoted(string text, StringBuilder result)
    {
        char quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        result.Append(quote);
        foreach (var rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '\\': result.Append("\\\\"); break;
                case '\n': result.Append("\\n"); break;
                case '\r': result.Append("\\r"); break;
                case '\t': result.Append("\\t"); break;
                case var code when code == quote: result.Append('\\').Append(quote); break;
                case var code when !IsPrintable(rune):
                    result.Append(code <= 0xFF ? $"\\x{code:x2}" : code <= 0xFFFF ? $"\\u{code:x4}" : $"\\U{code:x8}");
                    break;
                default: result.Append(rune); break;
            }
        }
        result.Append(quote);
    }

    private static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or
        UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);

    /// <summary>Python's repr of a float: the shortest digits that read back, with an exponent from 1e16 up and below 1e-4.</summary>
    public static string FloatText(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        string scientific = value.ToString("E16", CultureInfo.InvariantCulture);
        string shortest = value.ToString("R", CultureInfo.InvariantCulture);
        int exponent = int.Parse(scientific.AsSpan(scientific.IndexOf('E') + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string digits = new([.. shortest.Split('E')[0].Where(char.IsAsciiDigit)]);
        digits = digits.TrimStart('0').TrimEnd('0');
        if (digits.Length == 0) return double.IsNegative(value) ? "-0.0" : "0.0";
        string sign = value < 0 ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            string fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }
        if (exponent < 0) return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        if (digits.Length <= exponent + 1) return $"{sign}{digits.PadRight(exponent + 1, '0')}.0";
        return $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    /// <summary>json.dumps with transformers' defaults: no escapes beyond JSON's own, ", " and ": " between items.</summary>
    /// <param name="value">The value.</param>
    /// <param name="style">Its layout.</param>
    public string Json(object? value, JsonStyle style)
    {
        var result = new StringBuilder();
        WriteJson(value, style, 0, result);
        return result.ToString();
    }

    private void WriteJson(object? value, JsonStyle style, int depth, StringBuilder result)
    {
        Meter.Step();
        int before = result.Length;
        switch (value)
        {
            case null: result.Append("null"); break;
            case bool flag: result.Append(flag ? "true" : "false"); break;
            case BigInteger integer: result.Append(integer.ToString(CultureInfo.InvariantCulture)); break;
            case double number: result.Append(double.IsFinite(number) ? FloatText(number) : double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity"); break;
            case string text: WriteJsonString(text, style.IsAscii, result); break;
            case Sequence sequence:
                WriteJsonItems('[', sequence.Items, ']', style, depth, result, item => WriteJson(item, style, depth + 1, result));
                break;
            case PyDict dict:
                var items = style.SortsKeys ? [.. dict.Items.Order(Comparer<(object? Key, object? Value)>.Create((a, b) => Compare(a.Key, b.Key)))] : dict.Items.ToList();
                WriteJsonItems('{', items, '}', style, depth, result, item =>
                {
                    WriteJsonString(JsonKey(item.Key), style.IsAscii, result);
                    result.Append(style.KeySeparator);
                    WriteJson(item.Value, style, depth + 1, result);
                });
                break;
            default: throw new JinjaException($"Object of type {TypeName(value)} is not JSON serializable");
        }
        if (value is not (Sequence or PyDict)) Meter.Make(result.Length - before);
    }

    private void WriteJsonItems<T>(char open, IReadOnlyList<T> items, char close, JsonStyle style, int depth, StringBuilder result, Action<T> write)
    {
        result.Append(open);
        for (int i = 0; i < items.Count; i++)
        {
            if (i > 0) result.Append(style.ItemSeparator);
            BreakLine(depth + 1);
            write(items[i]);
        }
        if (items.Count > 0) BreakLine(depth);
        result.Append(close);

        void BreakLine(int level)
        {
            if (style.Indent is null) return;
            Meter.Make((long)style.Indent.Length * level);
            result.Append('\n').Insert(result.Length, style.Indent, level);
        }
    }

    private static string JsonKey(object? key) => key switch
    {
        string text => text,
        null => "null",
        bool flag => flag ? "true" : "false",
        BigInteger integer => integer.ToString(CultureInfo.InvariantCulture),
        double number => FloatText(number),
        _ => throw new JinjaException($"keys must be str, int, float, bool or None, not {TypeName(key)}"),
    };

    private static void WriteJsonString(string text, bool isAscii, StringBuilder result)
    {
        result.Append('"');
        foreach (char c in text)
        {
            switch (c)
            {
                case '"': result.Append("\\\""); break;
                case '\\': result.Append("\\\\"); break;
                case '\n': result.Append("\\n"); break;
                case '\r': result.Append("\\r"); break;
                case '\t': result.Append("\\t"); break;
                case '\b': result.Append("\\b"); break;
                case '\f': result.Append("\\f"); break;
                default:
                    if (c < ' ' || (isAscii && c > '~')) result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
                    else result.Append(c);
                    break;
            }
        }
        result.Append('"');
    }
}

/// <summary>The layout of JSON text.</summary>
/// <param name="Indent">The text of one level, or null for one line.</param>
/// <param name="ItemSeparator">Between items.</param>
/// <param name="KeySeparator">Between key and value.</param>
/// <param name="SortsKeys">Whether keys are sorted.</param>
/// <param name="IsAscii">Whether other characters are escaped.</param>
internal sealed record JsonStyle(string? Indent, string ItemSeparator, string KeySeparator, bool SortsKeys, bool IsAscii);
