using System.Globalization;
using System.Numerics;

namespace DeepSeekR1.Text.Jinja;

/// <summary>The functions every chat template can call.</summary>
internal static class Globals
{
    /// <summary>Jinja's sandbox allows no longer range.</summary>
    private const int LongestRange = 100_000;

    /// <summary>A scope with all functions.</summary>
    public static Scope Create(Operations operations, TimeProvider clock)
    {
        var scope = new Scope(null);
        Add("range", arguments => Range(operations, arguments));
        Add("dict", arguments => Dict(operations, arguments));
        Add("namespace", arguments => Namespace(operations, arguments));
        Add("cycler", Cycler);
        Add("joiner", Joiner);
        Add("lipsum", _ => throw new JinjaException("lipsum makes random text, which a chat template must not have"));
        Add("raise_exception", arguments => throw new JinjaException(operations.Text(new Parameters("raise_exception", ["message"], arguments).Value(0))));
        Add("strftime_now", arguments => StrfTime.Format(clock.GetLocalNow(), new Parameters("strftime_now", ["format"], arguments).Text(0)));
        return scope;

        void Add(string name, Func<Arguments, object?> body) => scope[name] = new Function(name, body);
    }

    private static PyIterable Range(Operations operations, Arguments arguments)
    {
        if (arguments.Positional.Count is < 1 or > 3 || arguments.Named.Count > 0) throw new JinjaException("range() takes one to three numbers");
        var numbers = arguments.Positional.Select(value => Operations.TryInteger(value, out var number)
            ? number : throw new JinjaException(value is Undefined undefined ? undefined.Complaint : $"range() needs integers, not {Operations.TypeName(value)}")).ToArray();
        BigInteger start = numbers.Length > 1 ? numbers[0] : 0, stop = numbers.Length > 1 ? numbers[1] : numbers[0], step = numbers.Length > 2 ? numbers[2] : 1;
        if (step.IsZero) throw new JinjaException("range() step must not be zero");
        var span = step.Sign > 0 ? stop - start : start - stop;
        var count = span.Sign <= 0 ? 0 : ((span - 1) / BigInteger.Abs(step)) + 1;
        if (count > LongestRange) throw new JinjaException($"range() is limited to {LongestRange} numbers");
        operations.Meter.MakeItems((long)count);
        return new PyIterable("range", [.. Enumerable.Range(0, (int)count).Select(i => (object?)(start + (step * i)))], HasLength: true);
    }

    private static PyDict Dict(Operations operations, Arguments arguments)
    {
        var dict = operations.NewDict();
        foreach (var (key, value) in Pairs(operations, arguments)) dict[key] = value;
        return dict;
    }

    private static PyNamespace Namespace(Operations operations, Arguments arguments)
    {
        var attributes = new Dictionary<string, object?>();
        foreach (var (key, value) in Pairs(operations, arguments)) attributes[operations.Text(key)] = value;
        return new PyNamespace(attributes);
    }

    /// <summary>The pairs that dict(...) takes: of a mapping or a sequence of pairs, then the named ones.</summary>
    private static IEnumerable<(object? Key, object? Value)> Pairs(Operations operations, Arguments arguments)
    {
        if (arguments.Positional.Count > 1) throw new JinjaException("at most one positional argument is expected");
        IEnumerable<(object?, object?)> given = arguments.Positional switch
        {
            [] => [],
            [PyDict dict] => dict.Items,
            _ => operations.Iterate(arguments.Positional[0]).Select(pair => pair is Sequence { Items: [var key, var value] } ? (key, value) : throw new JinjaException("a sequence of pairs is expected")),
        };
        return given.Concat(arguments.Named.Select(item => ((object?)item.Key, item.Value)));
    }

    private static PyNamespace Cycler(Arguments arguments)
    {
        var items = arguments.Positional;
        if (items.Count == 0) throw new JinjaException("at least one item has to be provided");
        int position = 0;
        var attributes = new Dictionary<string, object?> { ["current"] = items[0] };
        attributes["next"] = new Function("next", _ =>
        {
            object? now = items[position];
            position = (position + 1) % items.Count;
            attributes["current"] = items[position];
            return now;
        });
        attributes["reset"] = new Function("reset", _ =>
        {
            position = 0;
            attributes["current"] = items[0];
            return null;
        });
        return new PyNamespace(attributes);
    }

    private static Function Joiner(Arguments arguments)
    {
        string separator = new Parameters("joiner", ["sep?"], arguments).Text(0, ", ");
        bool isUsed = false;
        return new Function("joiner", _ =>
        {
            (bool wasUsed, isUsed) = (isUsed, true);
            return wasUsed ? separator : "";
        });
    }
}

/// <summary>Python's strftime, in English.</summary>
internal static class StrfTime
{
    public static string Format(DateTimeOffset time, string format)
    {
        var result = new System.Text.StringBuilder();
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                result.Append(format[i]);
                continue;
            }
            bool isUnpadded = format[i + 1] == '-' && i + 2 < format.Length;
            i += isUnpadded ? 2 : 1;
            string text = Directive(time, format[i]);
            result.Append(isUnpadded && text.TrimStart('0', ' ') is { Length: > 0 } trimmed ? trimmed : text);
        }
        return result.ToString();
    }

    private static string Directive(DateTimeOffset time, char directive)
    {
        string? pattern = directive switch
        {
            'a' => "ddd",
            'A' => "dddd",
            'b' or 'h' => "MMM",
            'B' => "MMMM",
            'd' => "dd",
            'H' => "HH",
            'I' => "hh",
            'm' => "MM",
            'M' => "mm",
            'p' => "tt",
            'S' => "ss",
            'f' => "ffffff",
            'y' => "yy",
            'Y' => "yyyy",
            'F' => "yyyy-MM-dd",
            'T' or 'X' => "HH:mm:ss",
            'R' => "HH:mm",
            'D' or 'x' => "MM/dd/yy",
            _ => null,
        };
        if (pattern is not null) return time.ToString(pattern.Length == 1 ? "%" + pattern : pattern, CultureInfo.InvariantCulture);
        return directive switch
        {
            '%' => "%",
            'n' => "\n",
            't' => "\t",
            'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
            'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
            'u' => (time.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)time.DayOfWeek).ToString(CultureInfo.InvariantCulture),
            'w' => ((int)time.DayOfWeek).ToString(CultureInfo.InvariantCulture),
            'c' => time.ToString("ddd MMM ", CultureInfo.InvariantCulture) + Directive(time, 'e') + time.ToString(" HH:mm:ss yyyy", CultureInfo.InvariantCulture),
            'z' or 'Z' => "",
            _ => throw new JinjaException($"strftime_now does not know '%{directive}'"),
        };
    }
}
