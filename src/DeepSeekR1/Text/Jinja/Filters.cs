using System.Globalization;
using System.Numerics;
using System.Text;

namespace DeepSeekR1.Text.Jinja;

/// <summary>One of Jinja's filters; parameters without the filtered value itself.</summary>
internal delegate object? FilterBody(Operations operations, object? value, Parameters parameters);

/// <summary>Jinja's filters on single values; those on sequences are in <see cref="SequenceFilters"/>.</summary>
internal static class Filters
{
    private static readonly Dictionary<string, (string[] Names, FilterBody Body)> _all = Build();

    private static readonly Dictionary<string, string> _aliases = new() { ["d"] = "default", ["e"] = "escape", ["count"] = "length" };

    public static bool Exists(string name) => _all.ContainsKey(_aliases.GetValueOrDefault(name, name)) || SequenceFilters.Selecting.ContainsKey(name) || name == "format";

    public static object? Apply(Operations operations, string name, object? value, Arguments arguments)
    {
        if (value is string || name is not ("length" or "count" or "first" or "last" or "default" or "d")) operations.Meter.Read(value);
        if (name == "format") return FormatWith(operations, operations.Text(value), arguments);
        if (SequenceFilters.Selecting.TryGetValue(name, out var selecting)) return selecting(operations, value, arguments);
        if (!_all.TryGetValue(_aliases.GetValueOrDefault(name, name), out var filter)) throw new JinjaException($"no filter is named '{name}'");
        return filter.Body(operations, value, new Parameters(name, filter.Names, arguments));
    }

    private static Dictionary<string, (string[], FilterBody)> Build()
    {
        var all = new Dictionary<string, (string[], FilterBody)>
        {
            ["abs"] = ([], (operations, value, _) => operations.Compare(value, BigInteger.Zero) < 0 ? Operations.Negate("-", value) : value),
            ["attr"] = (["name"], (operations, value, p) => operations.GetAttribute(value is PyDict ? new PyNamespace([]) : value, p.Text(0))),
            ["capitalize"] = ([], (operations, value, _) => PythonString.Capitalize(operations.Text(value))),
            ["center"] = (["width?"], (operations, value, p) => Center(operations, operations.Text(value), p.Int(0, 80), " ")),
            ["default"] = (["default_value?", "boolean?"], (_, value, p) => value is Undefined || (p.Flag(1) && !Operations.IsTrue(value)) ? p.Value(0, "") : value),
            ["escape"] = ([], (operations, value, _) => operations.Meter.Made(Escape(operations.Text(value)))),
            ["float"] = (["default?"], (_, value, p) => ToFloat(value) ?? p.Value(0, 0.0)),
            ["indent"] = (["width?", "first?", "blank?"], Indent),
            ["int"] = (["default?", "base?"], (_, value, p) => ToInteger(value, p.Int(1, 10)) is { } number ? number : p.Value(0, BigInteger.Zero)),
            ["items"] = ([], Items),
            ["length"] = ([], (_, value, _) => new BigInteger(Operations.Length(value))),
            ["lower"] = ([], (operations, value, _) => operations.Meter.Made(PythonString.Lower(operations.Text(value)))),
            ["replace"] = (["old", "new", "count?"], Replace),
            ["round"] = (["precision?", "method?"], Round),
            ["safe"] = ([], (operations, value, _) => operations.Text(value)),
            ["string"] = ([], (operations, value, _) => operations.Text(value)),
            ["title"] = ([], (operations, value, _) => Title(operations.Text(value))),
            ["tojson"] = (["ensure_ascii?", "indent?", "separators?", "sort_keys?"], ToJson),
            ["trim"] = (["chars?"], (operations, value, p) => PythonString.Strip(operations.Text(value), p.OptionalText(0))),
            ["truncate"] = (["length?", "killwords?", "end?", "leeway?"], Truncate),
            ["upper"] = ([], (operations, value, _) => operations.Meter.Made(PythonString.Upper(operations.Text(value)))),
            ["urlencode"] = ([], (operations, value, _) => UrlEncode(operations, value)),
            ["wordcount"] = ([], (operations, value, _) => new BigInteger(PythonString.Split(operations.Text(value), null, -1, fromRight: false).Count)),
        };
        foreach (var (name, filter) in SequenceFilters.All) all.Add(name, filter);
        return all;
    }

    public static string Center(Operations operations, string text, int width, string fill)
    {
        operations.Meter.Make(Math.Max(0, width));
        return PythonString.Center(text, width, fill);
    }

    private static string FormatWith(Operations operations, string format, Arguments arguments)
    {
        if (arguments.Named.Count == 0) return operations.Format(format, new PyTuple(arguments.Positional));
        var named = operations.NewDict();
        foreach (var (name, value) in arguments.Named) named[name] = value;
        return operations.Format(format, named);
    }

    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal).Replace("\"", "&#34;", StringComparison.Ordinal);

    private static string Indent(Operations operations, object? value, Parameters p)
    {
        string indent = p.Value(0) is string given ? given : PythonString.Repeat(" ", Math.Min(p.Int(0, 4), 10_000));
        bool indentsFirst = p.Flag(1), indentsBlank = p.Flag(2);
        var lines = PythonString.SplitLines(operations.Text(value) + "\n", keepEnds: false);
        operations.Meter.Make((long)lines.Count * indent.Length);
        var rest = lines.Skip(1).Select(line => line.Length > 0 || indentsBlank ? indent + line : line);
        return operations.Meter.Made(string.Join('\n', rest.Prepend(indentsFirst ? indent + lines[0] : lines[0])));
    }

    private static PyIterable Items(Operations operations, object? value, Parameters p) => value switch
    {
        PyDict dict => new PyIterable("generator", [.. dict.Items.Select(item => new PyTuple([item.Key, item.Value]))]),
        Undefined => new PyIterable("generator", []),
        _ => throw new JinjaException("Can only get item pairs from a mapping."),
    };

    private static string Replace(Operations operations, object? value, Parameters p)
    {
        string text = operations.Text(value), old = operations.Text(p.Value(0)), fresh = operations.Text(p.Value(1));
        return ReplaceCounted(operations, text, old, fresh, p.Value(2) is null ? -1 : p.Int(2));
    }

    public static string ReplaceCounted(Operations operations, string text, string old, string fresh, int most)
    {
        long places = old.Length == 0 ? text.Length + 1 : text.Length / old.Length;
        if (most >= 0) places = Math.Min(places, most);
        operations.Meter.Make(text.Length + (fresh.Length > old.Length ? CountUpTo(text, old, places) * fresh.Length : 0));
        return PythonString.Replace(text, old, fresh, most);
    }

    private static long CountUpTo(string text, string part, long most)
    {
        if (part.Length == 0) return most;
        long count = 0;
        for (int at = text.IndexOf(part, StringComparison.Ordinal); at >= 0 && count < most; at = text.IndexOf(part, at + part.Length, StringComparison.Ordinal)) count++;
        return count;
    }

    private static object? Round(Operations operations, object? value, Parameters p)
    {
        int precision = p.Int(0);
        string method = p.Text(1, "common");
        if (method == "common" && value is BigInteger && precision >= 0) return value;
        double number = ToFloat(value) ?? throw new JinjaException($"cannot round '{Operations.TypeName(value)}'");
        double scale = Math.Pow(10, precision);
        return method switch
        {
            "common" => precision is >= 0 and <= 15 ? Math.Round(number, precision, MidpointRounding.ToEven) : Math.Round(number * scale, MidpointRounding.ToEven) / scale,
            "ceil" => Math.Ceiling(number * scale) / scale,
            "floor" => Math.Floor(number * scale) / scale,
            _ => throw new JinjaException("method must be common, ceil or floor"),
        };
    }

    /// <summary>Upper case after white space, hyphens and opening brackets; lower case elsewhere.</summary>
    private static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        bool beginsWord = true;
        foreach (string character in PythonString.Characters(text))
        {
            result.Append(beginsWord ? PythonString.Upper(character) : PythonString.Lower(character));
            beginsWord = character is "-" or "(" or "{" or "[" or "<" || PythonString.IsSpace(character[0]);
        }
        return result.ToString();
    }

    private static string ToJson(Operations operations, object? value, Parameters p)
    {
        string? indent = p.Value(1) switch
        {
            null => null,
            string text => text,
            _ => PythonString.Repeat(" ", Math.Min(p.Int(1), 1000)),
        };
        var (item, key) = p.Value(2) switch
        {
            null => (indent is null ? ", " : ",", ": "),
            Sequence { Items: [string first, string second] } => (first, second),
            _ => throw new JinjaException("separators must be a pair of strings"),
        };
        return operations.Json(value, new JsonStyle(indent, item, key, p.Flag(3), p.Flag(0)));
    }

    private static string Truncate(Operations operations, object? value, Parameters p)
    {
        string text = operations.Text(value), end = p.Text(2, "...");
        int length = p.Int(0, 255), leeway = p.Int(3, 5), endLength = PythonString.Length(end);
        if (length < endLength) throw new JinjaException($"expected length >= {endLength}, got {length}");
        if (PythonString.Length(text) <= (long)length + leeway) return text;
        string cut = string.Concat(PythonString.Characters(text).Take(length - endLength));
        if (p.Flag(1)) return cut + end;
        int space = cut.LastIndexOf(' ');
        return (space < 0 ? cut : cut[..space]) + end;
    }

    private static string UrlEncode(Operations operations, object? value)
    {
        if (value is string or not (PyDict or Sequence or PyIterable)) return Quote(operations.Text(value), "/");
        var pairs = value is PyDict dict ? dict.Items : operations.Iterate(value).Select(item => item is Sequence { Items: [var key, var content] }
            ? (key, content) : throw new JinjaException("expected pairs to encode"));
        return string.Join('&', pairs.Select(pair => $"{Quote(operations.Text(pair.Item1), "")}={Quote(operations.Text(pair.Item2), "")}"));

        string Quote(string text, string safe)
        {
            operations.Meter.Make(text.Length * 3L);
            return string.Concat(Encoding.UTF8.GetBytes(text).Select(value =>
                value < 0x80 && (char.IsAsciiLetterOrDigit((char)value) || "_.-~".Contains((char)value) || safe.Contains((char)value))
                    ? ((char)value).ToString() : $"%{value:X2}"));
        }
    }

    private static double? ToFloat(object? value) => value switch
    {
        double number => number,
        string text => double.TryParse(PythonString.Strip(text, null), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : null,
        _ => Operations.TryInteger(value, out var integer) ? (double)integer : null,
    };

    private static BigInteger? ToInteger(object? value, int numberBase)
    {
        if (Operations.TryInteger(value, out var integer)) return integer;
        if (value is string text)
        {
            string digits = PythonString.Strip(text, null);
            if (numberBase == 16 && digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)) digits = digits[2..];
            if (digits.Length > 4300) return null;
            if (numberBase == 16 && BigInteger.TryParse("0" + digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out integer)) return integer;
            if (numberBase == 10 && BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out integer)) return integer;
        }
        return ToFloat(value) is { } number && double.IsFinite(number) ? new BigInteger(number) : null;
    }
}
