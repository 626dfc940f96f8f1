using System.Numerics;

namespace DeepSeekR1.Text.Jinja;

/// <summary>The arguments of a built-in function, by position, after names are resolved and numbers checked.</summary>
internal sealed class Parameters
{
    private static readonly object _absent = new();

    private readonly string _function;
    private readonly string[] _names;
    private readonly object?[] _values;

    /// <summary>Matches arguments with parameters; a question mark ends the name of one that may be left out.</summary>
    public Parameters(string function, string[] names, Arguments arguments)
    {
        (_function, _names, _values) = (function, names, new object?[names.Length]);
        if (arguments.Positional.Count > names.Length) throw new JinjaException($"{function}() takes at most {names.Length} arguments");
        Array.Fill(_values, _absent);
        for (int i = 0; i < arguments.Positional.Count; i++) _values[i] = arguments.Positional[i];
        foreach (var (name, value) in arguments.Named)
        {
            int index = Array.FindIndex(names, known => known.TrimEnd('?') == name);
            if (index < 0) throw new JinjaException($"{function}() got an unexpected argument '{name}'");
            if (Has(index)) throw new JinjaException($"{function}() got two values for '{name}'");
            _values[index] = value;
        }
        for (int i = 0; i < names.Length; i++)
            if (!Has(i) && !names[i].EndsWith('?')) throw new JinjaException($"{function}() needs the argument '{names[i]}'");
    }

    public bool Has(int index) => !ReferenceEquals(_values[index], _absent);

    public object? Value(int index, object? standard = null) => Has(index) ? _values[index] : standard;

    public bool Flag(int index, bool standard = false) => Has(index) ? Operations.IsTrue(_values[index]) : standard;

    /// <summary>A string; None counts as left out.</summary>
    public string? OptionalText(int index) => Value(index) switch
    {
        null => null,
        string text => text,
        var other => throw Wrong(index, "a string", other),
    };

    public string Text(int index, string standard = "") => Has(index) ? OptionalText(index) ?? throw Wrong(index, "a string", null) : standard;

    /// <summary>An integer, clipped to 32 bits.</summary>
    public int Int(int index, int standard = 0)
    {
        if (!Has(index)) return standard;
        return Operations.TryInteger(_values[index], out var integer) ? (int)BigInteger.Clamp(integer, -int.MaxValue, int.MaxValue) : throw Wrong(index, "an integer", _values[index]);
    }

    private JinjaException Wrong(int index, string expected, object? value) =>
        new(value is Undefined undefined ? undefined.Complaint : $"{_function}() argument '{_names[index].TrimEnd('?')}' must be {expected}, not {Operations.TypeName(value)}");
}
