using System.Diagnostics.CodeAnalysis;

namespace DeepSeekR1.Text.Jinja;

// Values are: null (None), bool, BigInteger (int), double (float), string, and the classes below. All of them but namespaces, cyclers and
// joiners are immutable, as in transformers' sandbox.

/// <summary>What a name, attribute or item that does not exist gives: empty as text and in loops, an error in most other uses.</summary>
/// <param name="Complaint">What is said where it is used.</param>
internal sealed record Undefined(string Complaint);

/// <summary>A list or a tuple.</summary>
internal abstract record Sequence(IReadOnlyList<object?> Items)
{
    /// <summary>A sequence of the same kind.</summary>
    public Sequence With(IReadOnlyList<object?> items) => this is PyTuple ? new PyTuple(items) : new PyList(items);
}

internal sealed record PyList(IReadOnlyList<object?> Items) : Sequence(Items);

internal sealed record PyTuple(IReadOnlyList<object?> Items) : Sequence(Items);

/// <summary>What filters such as map give, and views of dicts: can be looped over, but not indexed.</summary>
/// <param name="TypeName">Python's name of the type.</param>
/// <param name="Items">Its items.</param>
/// <param name="HasLength">Views have a length, generators none.</param>
internal sealed record PyIterable(string TypeName, IReadOnlyList<object?> Items, bool HasLength = false);

/// <summary>A dict in the order of insertion.</summary>
internal sealed class PyDict(IEqualityComparer<object> comparer)
{
    private readonly OrderedDictionary<object, object?> _items = new(comparer);

    public int Count => _items.Count;

    public IEnumerable<object?> Keys => _items.Keys.Select(Unwrap);

    public IEnumerable<(object? Key, object? Value)> Items => _items.Select(item => (Unwrap(item.Key), item.Value));

    public object? this[object? key]
    {
        set => _items[Wrap(key)] = value;
    }

    public bool TryGet(object? key, [MaybeNullWhen(false)] out object? value) => _items.TryGetValue(Wrap(key), out value);

    /// <summary>None may be a key.</summary>
    private static readonly object _noneKey = new();

    private static object Wrap(object? key) => key ?? _noneKey;

    private static object? Unwrap(object key) => ReferenceEquals(key, _noneKey) ? null : key;
}

/// <summary>The only thing a template can change: <c>namespace(...)</c>.</summary>
internal sealed record PyNamespace(Dictionary<string, object?> Attributes);

/// <summary>A function, filter, test, macro or method.</summary>
/// <param name="Name">Its name in errors.</param>
/// <param name="Invoke">What it does.</param>
internal sealed record Function(string Name, Func<Arguments, object?> Invoke);

/// <summary>The arguments of a call, evaluated.</summary>
internal sealed record Arguments(IReadOnlyList<object?> Positional, IReadOnlyDictionary<string, object?> Named)
{
    public static Arguments None { get; } = new([], new Dictionary<string, object?>());
}

/// <summary>The variable <c>loop</c>.</summary>
internal sealed record Loop(IReadOnlyList<object?> Items, int Index, int Depth, Function? Recurse, LoopMemory Memory);

/// <summary>What <c>loop.changed</c> remembers from one turn to the next.</summary>
internal sealed class LoopMemory
{
    public PyTuple? Last { get; set; }
}

/// <summary>Variables of a block; inner blocks see outer ones, assignments stay inside.</summary>
internal sealed class Scope(Scope? outer)
{
    private readonly Dictionary<string, object?> _variables = [];

    public object? this[string name]
    {
        set => _variables[name] = value;
    }

    public bool TryGet(string name, out object? value)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (scope._variables.TryGetValue(name, out value)) return true;
        value = null;
        return false;
    }

    private Scope? Outer => outer;
}
