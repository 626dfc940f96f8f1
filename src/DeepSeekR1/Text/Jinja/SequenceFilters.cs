using System.Globalization;
using System.Numerics;

namespace DeepSeekR1.Text.Jinja;

/// <summary>Jinja's filters on sequences.</summary>
internal static class SequenceFilters
{
    /// <summary>Filters with declared parameters.</summary>
    public static Dictionary<string, (string[] Names, FilterBody Body)> All { get; } = new()
    {
        ["batch"] = (["linecount", "fill_with?"], Batch),
        ["dictsort"] = (["case_sensitive?", "by?", "reverse?"], DictSort),
        ["first"] = ([], (operations, value, _) => operations.Iterate(value) is [var first, ..] ? first : new Undefined("No first item, sequence was empty.")),
        ["groupby"] = (["attribute", "default?", "case_sensitive?"], GroupBy),
        ["join"] = (["d?", "attribute?"], Join),
        ["last"] = ([], (operations, value, _) => operations.Iterate(value) is [.., var last] ? last : new Undefined("No last item, sequence was empty.")),
        ["list"] = ([], (operations, value, _) => new PyList(operations.Iterate(value))),
        ["max"] = (["case_sensitive?", "attribute?"], (operations, value, p) => Extreme(operations, value, p, 1)),
        ["min"] = (["case_sensitive?", "attribute?"], (operations, value, p) => Extreme(operations, value, p, -1)),
        ["reverse"] = ([], (operations, value, _) => value is string ? operations.GetSlice(value, null, null, BigInteger.MinusOne) : Generator(operations.Iterate(value).Reverse())),
        ["slice"] = (["slices", "fill_with?"], Slice),
        ["sort"] = (["reverse?", "case_sensitive?", "attribute?"], Sort),
        ["sum"] = (["attribute?", "start?"], (operations, value, p) => operations.Iterate(value).Select(Getter(operations, p.Value(0)))
            .Aggregate(p.Value(1, BigInteger.Zero), (sum, item) => operations.Apply("+", sum, item))),
        ["unique"] = (["case_sensitive?", "attribute?"], Unique),
    };

    /// <summary>Filters that take the name of a filter or test and its arguments.</summary>
    public static Dictionary<string, Func<Operations, object?, Arguments, object?>> Selecting { get; } = new()
    {
        ["map"] = Map,
        ["select"] = (operations, value, arguments) => Select(operations, value, arguments, byAttribute: false, keeps: true),
        ["reject"] = (operations, value, arguments) => Select(operations, value, arguments, byAttribute: false, keeps: false),
        ["selectattr"] = (operations, value, arguments) => Select(operations, value, arguments, byAttribute: true, keeps: true),
        ["rejectattr"] = (operations, value, arguments) => Select(operations, value, arguments, byAttribute: true, keeps: false),
    };

    private static PyIterable Generator(IEnumerable<object?> items) => new("generator", [.. items]);

    private static PyIterable Map(Operations operations, object? value, Arguments arguments)
    {
        Func<object?, object?> map;
        if (arguments.Positional.Count == 0 && arguments.Named.TryGetValue("attribute", out object? attribute))
            map = Getter(operations, attribute, arguments.Named.GetValueOrDefault("default"));
        else
        {
            string name = arguments.Positional is [string given, ..] ? given : throw new JinjaException("map needs the name of a filter, or attribute=...");
            var inner = new Arguments([.. arguments.Positional.Skip(1)], arguments.Named);
            map = item => Filters.Apply(operations, name, item, inner);
        }
        return Generator(operations.Iterate(value).Select(map));
    }

    private static PyIterable Select(Operations operations, object? value, Arguments arguments, bool byAttribute, bool keeps)
    {
        var positional = arguments.Positional;
        Func<object?, object?> getter = item => item;
        if (byAttribute)
        {
            if (positional.Count == 0) throw new JinjaException("the name of an attribute is missing");
            getter = Getter(operations, positional[0]);
            positional = [.. positional.Skip(1)];
        }
        Func<object?, bool> holds = Operations.IsTrue;
        if (positional.Count > 0)
        {
            string name = positional[0] as string ?? throw new JinjaException("the name of a test must be a string");
            var inner = new Arguments([.. positional.Skip(1)], arguments.Named);
            holds = item => Tests.Holds(operations, name, item, inner);
        }
        return Generator(operations.Iterate(value).Where(item => holds(getter(item)) == keeps));
    }

    /// <summary>Reads an attribute such as "role", "function.name" or 0; null reads the item itself.</summary>
    private static Func<object?, object?> Getter(Operations operations, object? attribute, object? standard = null)
    {
        if (attribute is null) return item => item;
        object[] keys = attribute is string path ? [.. path.Split('.').Select(Key)] : [attribute];
        return item =>
        {
            foreach (object key in keys)
            {
                item = operations.GetItem(item, key);
                if (item is Undefined && standard is not null) return standard;
            }
            return item;
        };

        static object Key(string part) => BigInteger.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : part;
    }

    private static Func<object?, object?> SortKey(Operations operations, bool isCaseSensitive, object? attribute)
    {
        var getter = Getter(operations, attribute);
        return isCaseSensitive ? getter : item => getter(item) is string text ? PythonString.Lower(text) : getter(item);
    }

    private static IEnumerable<T> Ordered<T>(Operations operations, IEnumerable<T> items, Func<T, object?> key, bool descends)
    {
        var comparer = Comparer<object?>.Create((left, right) => operations.Compare(left, right));
        return descends ? items.OrderByDescending(key, comparer) : items.OrderBy(key, comparer);
    }

    private static PyList Sort(Operations operations, object? value, Parameters p)
    {
        var keys = (p.Value(2) as string)?.Split(',').Select(part => SortKey(operations, p.Flag(1), part.Trim())).ToArray() ?? [SortKey(operations, p.Flag(1), p.Value(2))];
        return new PyList([.. Ordered(operations, operations.Iterate(value), item => keys.Length == 1 ? keys[0](item) : new PyTuple([.. keys.Select(key => key(item))]), p.Flag(0))]);
    }

    private static PyList DictSort(Operations operations, object? value, Parameters p)
    {
        if (value is not PyDict dict) throw new JinjaException($"dictsort needs a mapping, not {Operations.TypeName(value)}");
        string by = p.Text(1, "key");
        if (by is not ("key" or "value")) throw new JinjaException("by must be key or value");
        var items = dict.Items.Select(item => new PyTuple([item.Key, item.Value]));
        return new PyList([.. Ordered(operations, items, SortKey(operations, p.Flag(0), new BigInteger(by == "key" ? 0 : 1)), p.Flag(2))]);
    }

    private static PyIterable Unique(Operations operations, object? value, Parameters p)
    {
        var key = SortKey(operations, p.Flag(0), p.Value(1));
        var seen = operations.NewDict();
        return Generator(operations.Iterate(value).Where(item =>
        {
            object? found = key(item);
            if (seen.TryGet(found, out _)) return false;
            seen[found] = true;
            return true;
        }));
    }

    private static PyList GroupBy(Operations operations, object? value, Parameters p)
    {
        var getter = Getter(operations, p.Value(0), p.Value(1));
        object? Key(object? item) => getter(item) is string text && !p.Flag(2) ? PythonString.Lower(text) : getter(item);
        var groups = new List<(object? Key, List<object?> Items)>();
        foreach (object? item in Ordered(operations, operations.Iterate(value), Key, descends: false))
        {
            if (groups.Count == 0 || !operations.AreEqual(groups[^1].Key, Key(item))) groups.Add((Key(item), []));
            groups[^1].Items.Add(item);
        }
        return new PyList([.. groups.Select(group => new PyTuple([getter(group.Items[0]), new PyList(group.Items)]))]);
    }

    private static object? Extreme(Operations operations, object? value, Parameters p, int sign)
    {
        var key = SortKey(operations, p.Flag(0), p.Value(1));
        var items = operations.Iterate(value);
        if (items.Count == 0) return new Undefined("No aggregated item, sequence was empty.");
        object? best = items[0];
        foreach (object? item in items.Skip(1))
            if (operations.Compare(key(item), key(best)) * sign > 0) best = item;
        return best;
    }

    private static string Join(Operations operations, object? value, Parameters p)
    {
        string separator = operations.Text(p.Value(0, ""));
        var texts = operations.Iterate(value).Select(Getter(operations, p.Value(1))).Select(operations.Text).ToList();
        operations.Meter.Make(texts.Sum(text => (long)text.Length + separator.Length));
        return string.Join(separator, texts);
    }

    private static PyIterable Batch(Operations operations, object? value, Parameters p)
    {
        int size = p.Int(0);
        if (size <= 0) throw new JinjaException("linecount must be positive");
        var batches = operations.Iterate(value).Chunk(size).Select(batch => batch.ToList()).ToList();
        if (batches.Count > 0 && p.Value(1) is { } fill)
        {
            int missing = size - batches[^1].Count;
            operations.Meter.MakeItems(missing);
            batches[^1].AddRange(Enumerable.Repeat(fill, missing));
        }
        return Generator(batches.Select(batch => new PyList(batch)));
    }

    private static PyIterable Slice(Operations operations, object? value, Parameters p)
    {
        var items = operations.Iterate(value);
        int slices = p.Int(0), at = 0;
        if (slices <= 0) throw new JinjaException("slices must be positive");
        operations.Meter.MakeItems(slices);
        int size = items.Count / slices, longer = items.Count % slices;
        var result = new List<object?>();
        for (int i = 0; i < slices; i++)
        {
            int count = size + (i < longer ? 1 : 0);
            var part = items.Skip(at).Take(count).ToList();
            if (p.Value(1) is { } fill && i >= longer) part.Add(fill);
            result.Add(new PyList(part));
            at += count;
        }
        return Generator(result);
    }
}
