using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace DeepSeekR1.Text.Jinja;

/// <summary>Python's operators on template values. Everything that can grow or recurse is counted by the meter.</summary>
internal sealed partial class Operations : IEqualityComparer<object>
{
    /// <summary>About 4,300 decimal digits, beyond which Python refuses to print.</summary>
    private const long LargestIntegerBits = 14_300;

    public Operations(Meter meter) => Meter = meter;

    /// <summary>What the rendering may cost.</summary>
    public Meter Meter { get; }

    /// <summary>An empty dict.</summary>
    public PyDict NewDict() => new(this);

    /// <summary>Python's name of a value's type.</summary>
    public static string TypeName(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        BigInteger => "int",
        double => "float",
        string => "str",
        PyList => "list",
        PyTuple => "tuple",
        PyDict => "dict",
        PyIterable iterable => iterable.TypeName,
        PyNamespace => "Namespace",
        Undefined => "Undefined",
        Loop => "LoopContext",
        _ => "function",
    };

    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        BigInteger number => !number.IsZero,
        double number => number != 0,
        string text => text.Length > 0,
        Sequence sequence => sequence.Items.Count > 0,
        PyDict dict => dict.Count > 0,
        PyIterable { HasLength: true } view => view.Items.Count > 0,
        _ => true,
    };

    public bool AreEqual(object? left, object? right)
    {
        Meter.Step();
        if (TryNumbers(left, right, out var numbers)) return numbers.AreInteger ? numbers.Left == numbers.Right : numbers.LeftFloat == numbers.RightFloat;
        return (left, right) switch
        {
            (null, null) or (Undefined, Undefined) => true,
            (string a, string b) => AreEqualTexts(a, b),
            (PyList a, PyList b) => AreEqualItems(a.Items, b.Items),
            (PyTuple a, PyTuple b) => AreEqualItems(a.Items, b.Items),
            (PyDict a, PyDict b) => a.Count == b.Count && a.Items.All(item => b.TryGet(item.Key, out object? other) && AreEqual(item.Value, other)),
            (null, _) or (_, null) or (string, _) or (Sequence, _) or (PyDict, _) => false,
            _ => ReferenceEquals(left, right),
        };
    }

    private bool AreEqualTexts(string left, string right)
    {
        if (left.Length != right.Length) return false;
        Meter.Read(left);
        return left == right;
    }

    private bool AreEqualItems(IReadOnlyList<object?> left, IReadOnlyList<object?> right)
    {
        if (left.Count != right.Count) return false;
        for (int i = 0; i < left.Count; i++)
            if (!AreEqual(left[i], right[i])) return false;
        return true;
    }

    /// <summary>Negative, zero or positive, as left is less, equal or greater.</summary>
    public int Compare(object? left, object? right, string symbol = "<")
    {
        Meter.Step();
        if (TryNumbers(left, right, out var numbers)) return numbers.AreInteger ? numbers.Left.CompareTo(numbers.Right) : numbers.LeftFloat.CompareTo(numbers.RightFloat);
        switch (left, right)
        {
            case (string a, string b):
                Meter.Read(a.Length < b.Length ? a : b);
                return CompareCodePoints(a, b);
            case (Sequence a, Sequence b) when a.GetType() == b.GetType():
                for (int i = 0; i < Math.Min(a.Items.Count, b.Items.Count); i++)
                    if (!AreEqual(a.Items[i], b.Items[i])) return Compare(a.Items[i], b.Items[i], symbol);
                return a.Items.Count.CompareTo(b.Items.Count);
            default: throw new JinjaException(UndefinedComplaint(left, right) ?? $"'{symbol}' not supported between instances of '{TypeName(left)}' and '{TypeName(right)}'");
        }
    }

    private static int CompareCodePoints(string left, string right)
    {
        // Surrogates sort after all other characters in UTF-16 but for U+E000 and up.
        int length = Math.Min(left.Length, right.Length);
        for (int i = 0; i < length; i++)
        {
            if (left[i] == right[i]) continue;
            bool leftIsHigh = char.IsSurrogate(left[i]), rightIsHigh = char.IsSurrogate(right[i]);
            return leftIsHigh == rightIsHigh ? left[i].CompareTo(right[i]) : leftIsHigh ? 1 : -1;
        }
        return left.Length.CompareTo(right.Length);
    }

    public object? Apply(string symbol, object? left, object? right)
    {
        switch (symbol, left, right)
        {
            case ("+", string a, string b):
                Meter.Make((long)a.Length + b.Length);
                return a + b;
            case ("+", Sequence a, Sequence b) when a.GetType() == b.GetType():
                Meter.MakeItems((long)a.Items.Count + b.Items.Count);
                return a.With([.. a.Items, .. b.Items]);
            case ("*", string or Sequence, _) when TryInteger(right, out var times): return Repeat(left, times);
            case ("*", _, string or Sequence) when TryInteger(left, out var times): return Repeat(right, times);
            case ("%", string format, _): return Format(format, right);
        }
        if (TryNumbers(left, right, out var numbers)) return Arithmetic(symbol, numbers);
        throw new JinjaException(UndefinedComplaint(left, right) ?? (symbol == "+" && left is string or Sequence
            ? $"can only concatenate {TypeName(left)} (not \"{TypeName(right)}\") to {TypeName(left)}"
            : $"unsupported operand type(s) for {symbol}: '{TypeName(left)}' and '{TypeName(right)}'"));
    }

    private object Repeat(object? value, BigInteger times)
    {
        long count = times.Sign <= 0 ? 0 : times > int.MaxValue ? int.MaxValue : (long)times;
        if (value is string text)
        {
            Meter.Make(text.Length * count);
            return PythonString.Repeat(text, (int)count);
        }
        var sequence = (Sequence)value!;
        Meter.MakeItems(sequence.Items.Count * count);
        var items = new List<object?>();
        for (long i = 0; i < count && sequence.Items.Count > 0; i++) items.AddRange(sequence.Items);
        return sequence.With(items);
    }

    private static object Arithmetic(string symbol, Numbers numbers)
    {
        var (a, b, x, y) = (numbers.Left, numbers.Right, numbers.LeftFloat, numbers.RightFloat);
        bool dividesByZero = symbol is "/" or "//" or "%" && y == 0;
        if (dividesByZero) throw new JinjaException("division by zero");
        if (symbol == "/") return x / y;
        if (!numbers.AreInteger || (symbol == "**" && b.Sign < 0))
        {
            return symbol switch
            {
                "+" => x + y,
                "-" => x - y,
                "*" => x * y,
                "//" => Math.Floor(x / y),
                "%" => x - (y * Math.Floor(x / y)),
                _ => Math.Pow(x, y),
            };
        }
        if (symbol == "**" && (b > LargestIntegerBits || b * a.GetBitLength() > LargestIntegerBits + 1) && !(BigInteger.Abs(a) <= 1)) throw TooLarge();
        var remainder = symbol is "//" or "%" ? ((a % b) + b) % b : 0;
        var result = symbol switch
        {
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            "//" => (a - remainder) / b,
            "%" => remainder,
            _ => BigInteger.Abs(a) <= 1 ? (a.IsOne || b.IsZero ? 1 : a.IsZero ? 0 : b.IsEven ? 1 : -1) : BigInteger.Pow(a, (int)b),
        };
        return result.GetBitLength() <= LargestIntegerBits ? result : throw TooLarge();
    }

    private static JinjaException TooLarge() => new("the integer is too large");

    public static object? Negate(string sign, object? value)
    {
        if (value is double number) return sign == "-" ? -number : number;
        if (TryInteger(value, out var integer)) return sign == "-" ? -integer : integer;
        throw new JinjaException(UndefinedComplaint(value) ?? $"bad operand type for unary {sign}: '{TypeName(value)}'");
    }

    public bool Contains(object? container, object? item)
    {
        switch (container)
        {
            case string text:
                Meter.Read(text);
                return item is string part ? text.Contains(part, StringComparison.Ordinal)
                    : throw new JinjaException(UndefinedComplaint(item) ?? $"'in <string>' requires string as left operand, not {TypeName(item)}");
            case PyDict dict: return dict.TryGet(item, out _);
            default: return Iterate(container, "argument of type '{0}' is not iterable").Any(other => AreEqual(other, item));
        }
    }

    /// <summary>The items of anything that can be looped over.</summary>
    public IReadOnlyList<object?> Iterate(object? value, string complaint = "'{0}' object is not iterable")
    {
        switch (value)
        {
            case Sequence sequence: return sequence.Items;
            case PyIterable iterable: return iterable.Items;
            case PyDict dict:
                Meter.MakeItems(dict.Count);
                return [.. dict.Keys];
            case Undefined: return [];
            case string text:
                Meter.MakeItems(text.Length);
                return [.. PythonString.Characters(text)];
            default: throw new JinjaException(string.Format(complaint, TypeName(value)));
        }
    }

    public static int Length(object? value) => value switch
    {
        string text => PythonString.Length(text),
        Sequence sequence => sequence.Items.Count,
        PyDict dict => dict.Count,
        PyIterable { HasLength: true } view => view.Items.Count,
        Undefined => 0,
        _ => throw new JinjaException($"object of type '{TypeName(value)}' has no len()"),
    };

    /// <summary>Python's int: true and false are integers.</summary>
    public static bool TryInteger(object? value, out BigInteger integer)
    {
        integer = value switch { BigInteger number => number, bool flag => flag ? 1 : 0, _ => 0 };
        return value is BigInteger or bool;
    }

    private static bool TryNumbers(object? left, object? right, out Numbers numbers)
    {
        bool leftIsInteger = TryInteger(left, out var a), rightIsInteger = TryInteger(right, out var b);
        double x = left is double leftFloat ? leftFloat : (double)a, y = right is double rightFloat ? rightFloat : (double)b;
        numbers = new Numbers(leftIsInteger && rightIsInteger, a, b, x, y);
        return (leftIsInteger || left is double) && (rightIsInteger || right is double);
    }

    private static string? UndefinedComplaint(params object?[] values) => values.OfType<Undefined>().FirstOrDefault()?.Complaint;

    bool IEqualityComparer<object>.Equals(object? x, object? y) => AreEqual(x, y);

    int IEqualityComparer<object>.GetHashCode([DisallowNull] object obj)
    {
        Meter.Read(obj as string);
        return obj switch
        {
            PyTuple tuple => tuple.Items.Aggregate(17, (hash, item) => HashCode.Combine(hash, item is null ? 0 : ((IEqualityComparer<object>)this).GetHashCode(item))),
            PyList or PyDict => throw new JinjaException($"unhashable type: '{TypeName(obj)}'"),
            bool or BigInteger or double when TryNumbers(obj, obj, out var number) => number.LeftFloat.GetHashCode(),
            string text => text.GetHashCode(StringComparison.Ordinal),
            _ => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(obj),
        };
    }

    private readonly record struct Numbers(bool AreInteger, BigInteger Left, BigInteger Right, double LeftFloat, double RightFloat);
}
