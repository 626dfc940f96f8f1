using System.Globalization;
using System.Numerics;
using System.Text;

namespace DeepSeekR1.Text.Jinja;

/// <summary>Methods of Python's values that templates call. Those that change a value are left out: the sandbox forbids them.</summary>
internal static class Methods
{
    private static readonly Dictionary<string, (string[] Names, Func<Operations, string, Parameters, object?> Body)> _ofString = new()
    {
        ["capitalize"] = ([], (_, text, _) => PythonString.Capitalize(text)),
        ["casefold"] = ([], (_, text, _) => PythonString.Lower(text).Replace("ß", "ss", StringComparison.Ordinal)),
        ["center"] = (["width", "fillchar?"], (operations, text, p) => Filters.Center(operations, text, p.Int(0), p.Text(1, " "))),
        ["count"] = (["sub", "start?", "end?"], (operations, text, p) => Count(Part(operations, text, p, 1), p.Text(0))),
        ["endswith"] = (["suffix"], (_, text, p) => AnyAffix(p.Value(0), affix => text.EndsWith(affix, StringComparison.Ordinal))),
        ["find"] = (["sub", "start?", "end?"], (operations, text, p) => Find(operations, text, p, fromRight: false, mustExist: false)),
        ["index"] = (["sub", "start?", "end?"], (operations, text, p) => Find(operations, text, p, fromRight: false, mustExist: true)),
        ["isalnum"] = ([], (_, text, _) => PythonString.All(text, rune => Rune.IsLetter(rune) || PythonString.IsNumeric(rune))),
        ["isalpha"] = ([], (_, text, _) => PythonString.All(text, Rune.IsLetter)),
        ["isascii"] = ([], (_, text, _) => text.All(char.IsAscii)),
        ["isdecimal"] = ([], (_, text, _) => PythonString.All(text, Rune.IsDigit)),
        ["isdigit"] = ([], (_, text, _) => PythonString.All(text, rune => Rune.IsDigit(rune) || CharUnicodeInfo.GetDigitValue(rune.ToString(), 0) >= 0)),
        ["islower"] = ([], (_, text, _) => PythonString.IsCased(text, upper: false)),
        ["isnumeric"] = ([], (_, text, _) => PythonString.All(text, PythonString.IsNumeric)),
        ["isspace"] = ([], (_, text, _) => text.Length > 0 && text.All(PythonString.IsSpace)),
        ["isupper"] = ([], (_, text, _) => PythonString.IsCased(text, upper: true)),
        ["join"] = (["iterable"], Join),
        ["ljust"] = (["width", "fillchar?"], (operations, text, p) => text + Padding(operations, text, p)),
        ["lower"] = ([], (operations, text, _) => operations.Meter.Made(PythonString.Lower(text))),
        ["lstrip"] = (["chars?"], (_, text, p) => PythonString.Strip(text, p.OptionalText(0), right: false)),
        ["partition"] = (["sep"], (_, text, p) => Partition(text, p.Text(0), fromRight: false)),
        ["removeprefix"] = (["prefix"], (_, text, p) => text.StartsWith(p.Text(0), StringComparison.Ordinal) ? text[p.Text(0).Length..] : text),
        ["removesuffix"] = (["suffix"], (_, text, p) => text.EndsWith(p.Text(0), StringComparison.Ordinal) ? text[..^p.Text(0).Length] : text),
        ["replace"] = (["old", "new", "count?"], (operations, text, p) => Filters.ReplaceCounted(operations, text, p.Text(0), p.Text(1), p.Int(2, -1))),
        ["rfind"] = (["sub", "start?", "end?"], (operations, text, p) => Find(operations, text, p, fromRight: true, mustExist: false)),
        ["rindex"] = (["sub", "start?", "end?"], (operations, text, p) => Find(operations, text, p, fromRight: true, mustExist: true)),
        ["rjust"] = (["width", "fillchar?"], (operations, text, p) => Padding(operations, text, p) + text),
        ["rpartition"] = (["sep"], (_, text, p) => Partition(text, p.Text(0), fromRight: true)),
        ["rsplit"] = (["sep?", "maxsplit?"], (operations, text, p) => Split(operations, text, p, fromRight: true)),
        ["rstrip"] = (["chars?"], (_, text, p) => PythonString.Strip(text, p.OptionalText(0), left: false)),
        ["split"] = (["sep?", "maxsplit?"], (operations, text, p) => Split(operations, text, p, fromRight: false)),
        ["splitlines"] = (["keepends?"], (operations, text, p) => ListOf(operations, PythonString.SplitLines(text, p.Flag(0)))),
        ["startswith"] = (["prefix"], (_, text, p) => AnyAffix(p.Value(0), affix => text.StartsWith(affix, StringComparison.Ordinal))),
        ["strip"] = (["chars?"], (_, text, p) => PythonString.Strip(text, p.OptionalText(0))),
        ["swapcase"] = ([], (_, text, _) => PythonString.SwapCase(text)),
        ["title"] = ([], (_, text, _) => PythonString.Title(text)),
        ["upper"] = ([], (operations, text, _) => operations.Meter.Made(PythonString.Upper(text))),
        ["zfill"] = (["width"], (operations, text, p) => FillWithZeros(operations, text, p.Int(0))),
    };

    /// <summary>The method of that name, bound to the value, or null.</summary>
    public static Function? Find(Operations operations, object? value, string name) => (value, name) switch
    {
        (string format, "format") => new Function(name, arguments => operations.FormatFields(format, arguments)),
        (string text, _) when _ofString.TryGetValue(name, out var method) =>
            new Function(name, arguments =>
            {
                operations.Meter.Read(text);
                return method.Body(operations, text, new Parameters(name, method.Names, arguments));
            }),
        (PyDict dict, "items") => View(operations, dict, name, () => new PyIterable("dict_items", [.. dict.Items.Select(item => new PyTuple([item.Key, item.Value]))], HasLength: true)),
        (PyDict dict, "keys") => View(operations, dict, name, () => new PyIterable("dict_keys", [.. dict.Keys], HasLength: true)),
        (PyDict dict, "values") => View(operations, dict, name, () => new PyIterable("dict_values", [.. dict.Items.Select(item => item.Value)], HasLength: true)),
        (PyDict or PyList, "copy") => Plain(name, () => value),
        (PyDict dict, "get") => new Function(name, arguments =>
        {
            var p = new Parameters(name, ["key", "default?"], arguments);
            return dict.TryGet(p.Value(0), out object? found) ? found : p.Value(1);
        }),
        (Sequence sequence, "count") => new Function(name, arguments =>
            new BigInteger(sequence.Items.Count(item => operations.AreEqual(item, new Parameters(name, ["value"], arguments).Value(0))))),
        (Sequence sequence, "index") => new Function(name, arguments => IndexOf(operations, sequence, new Parameters(name, ["value"], arguments).Value(0))),
        _ => null,
    };

    /// <summary>What <c>loop</c> knows.</summary>
    public static object? OfLoop(Operations operations, Loop loop, string name)
    {
        var (items, index) = (loop.Items, loop.Index);
        return name switch
        {
            "index" => new BigInteger(index + 1),
            "index0" => new BigInteger(index),
            "revindex" => new BigInteger(items.Count - index),
            "revindex0" => new BigInteger(items.Count - index - 1),
            "first" => index == 0,
            "last" => index == items.Count - 1,
            "length" => new BigInteger(items.Count),
            "depth" => new BigInteger(loop.Depth + 1),
            "depth0" => new BigInteger(loop.Depth),
            "previtem" => index > 0 ? items[index - 1] : new Undefined("there is no previous item"),
            "nextitem" => index + 1 < items.Count ? items[index + 1] : new Undefined("there is no next item"),
            "cycle" => new Function(name, arguments => arguments.Positional.Count > 0
                ? arguments.Positional[index % arguments.Positional.Count] : throw new JinjaException("no items for cycling given")),
            "changed" => new Function(name, arguments =>
            {
                var now = new PyTuple(arguments.Positional);
                bool hasChanged = loop.Memory.Last is not { } last || !operations.AreEqual(last, now);
                loop.Memory.Last = now;
                return hasChanged;
            }),
            _ => new Undefined($"'loop' has no attribute '{name}'"),
        };
    }

    private static Function Plain(string name, Func<object?> body) => new(name, arguments =>
    {
        _ = new Parameters(name, [], arguments);
        return body();
    });

    private static Function View(Operations operations, PyDict dict, string name, Func<object?> body) => Plain(name, () =>
    {
        operations.Meter.Read(dict);
        return body();
    });

    private static BigInteger IndexOf(Operations operations, Sequence sequence, object? value)
    {
        for (int i = 0; i < sequence.Items.Count; i++)
            if (operations.AreEqual(sequence.Items[i], value)) return i;
        throw new JinjaException($"{operations.Repr(value)} is not in list");
    }

    private static bool AnyAffix(object? affix, Func<string, bool> matches) => affix switch
    {
        string text => matches(text),
        PyTuple tuple => tuple.Items.Any(item => item is string text ? matches(text) : throw new JinjaException("a tuple of strings is expected")),
        _ => throw new JinjaException($"a string or a tuple of strings is expected, not {Operations.TypeName(affix)}"),
    };

    private static string Part(Operations operations, string text, Parameters p, int first) =>
        p.Has(first) ? (string)operations.GetSlice(text, p.Value(first), p.Value(first + 1), null) : text;

    private static BigInteger Count(string text, string part)
    {
        if (part.Length == 0) return PythonString.Length(text) + 1;
        return text.AsSpan().Count(part);
    }

    private static BigInteger Find(Operations operations, string text, Parameters p, bool fromRight, bool mustExist)
    {
        string searched = Part(operations, text, p, 1), part = p.Text(0);
        int offset = fromRight ? searched.LastIndexOf(part, StringComparison.Ordinal) : searched.IndexOf(part, StringComparison.Ordinal);
        if (offset < 0) return mustExist ? throw new JinjaException("substring not found") : BigInteger.MinusOne;
        int length = PythonString.Length(text), start = p.Int(1);
        if (start < 0) start = Math.Max(0, start + length);
        return start + PythonString.IndexOfOffset(searched, offset);
    }

    private static string Join(Operations operations, string separator, Parameters p)
    {
        var items = operations.Iterate(p.Value(0));
        var texts = new List<string>(items.Count);
        for (int i = 0; i < items.Count; i++)
            texts.Add(items[i] as string ?? throw new JinjaException($"sequence item {i}: expected str instance, {Operations.TypeName(items[i])} found"));
        operations.Meter.Make(texts.Sum(text => (long)text.Length + separator.Length));
        return string.Join(separator, texts);
    }

    private static string Padding(Operations operations, string text, Parameters p)
    {
        int missing = p.Int(0) - PythonString.Length(text);
        operations.Meter.Make(Math.Max(0, missing));
        return PythonString.Repeat(p.Text(1, " "), missing);
    }

    private static string FillWithZeros(Operations operations, string text, int width)
    {
        int missing = width - PythonString.Length(text), sign = text.Length > 0 && text[0] is '-' or '+' ? 1 : 0;
        operations.Meter.Make(Math.Max(0, missing));
        return text[..sign] + PythonString.Repeat("0", missing) + text[sign..];
    }

    private static PyTuple Partition(string text, string separator, bool fromRight)
    {
        if (separator.Length == 0) throw new JinjaException("empty separator");
        int at = fromRight ? text.LastIndexOf(separator, StringComparison.Ordinal) : text.IndexOf(separator, StringComparison.Ordinal);
        if (at < 0) return new PyTuple(fromRight ? ["", "", text] : [text, "", ""]);
        return new PyTuple([text[..at], separator, text[(at + separator.Length)..]]);
    }

    private static PyList Split(Operations operations, string text, Parameters p, bool fromRight) =>
        ListOf(operations, PythonString.Split(text, p.OptionalText(0), p.Int(1, -1), fromRight));

    private static PyList ListOf(Operations operations, List<string> items)
    {
        operations.Meter.MakeItems(items.Count);
        return new PyList([.. items]);
    }
}
