using System.Numerics;

namespace DeepSeekR1.Text.Jinja;

/// <summary>Attributes, items and slices.</summary>
internal sealed partial class Operations
{
    /// <summary><c>value.name</c>: a method or attribute, else the item of that name.</summary>
    public object? GetAttribute(object? value, string name)
    {
        ThrowIfUndefined(value);
        if (name.StartsWith('_')) return new Undefined($"access to attribute '{name}' of '{TypeName(value)}' object is unsafe.");
        if (FindAttribute(value, name, out object? found) || (value is PyDict dict && dict.TryGet(name, out found))) return found;
        return new Undefined(value is null ? $"'None' has no attribute '{name}'" : $"'{TypeName(value)} object' has no attribute '{name}'");
    }

    /// <summary><c>value[key]</c>: the item, else the attribute of that name.</summary>
    public object? GetItem(object? value, object? key)
    {
        ThrowIfUndefined(value);
        switch (value)
        {
            case PyDict dict when dict.TryGet(key, out object? item): return item;
            case Sequence sequence when TryInteger(key, out var index):
                if (TryOffset(index, sequence.Items.Count, out int at)) return sequence.Items[at];
                break;
            case string text when TryInteger(key, out var index):
                Meter.Read(text);
                if (TryOffset(index, PythonString.Length(text), out int character)) return PythonString.Characters(text).ElementAt(character);
                break;
        }
        if (key is string name && !name.StartsWith('_') && FindAttribute(value, name, out object? found)) return found;
        string owner = value is null ? "None" : $"{TypeName(value)} object";
        return new Undefined(key is string missing ? $"'{owner}' has no attribute '{missing}'" : $"{owner} has no element {Repr(key)}");
    }

    public object GetSlice(object? value, object? start, object? stop, object? step)
    {
        ThrowIfUndefined(value);
        var items = value is string or Sequence ? Iterate(value) : throw new JinjaException($"'{TypeName(value)}' object cannot be sliced");
        long stride = Bound(step) ?? 1;
        if (stride == 0) throw new JinjaException("slice step cannot be zero");
        long length = items.Count, lowest = stride > 0 ? 0 : -1, highest = stride > 0 ? length : length - 1;
        long from = Clip(Bound(start)) ?? (stride > 0 ? 0 : length - 1), to = Clip(Bound(stop)) ?? (stride > 0 ? length : -1);
        var result = new List<object?>();
        for (long i = from; stride > 0 ? i < to : i > to; i += stride) result.Add(items[(int)i]);
        Meter.MakeItems(result.Count);
        return value is Sequence sequence ? sequence.With(result) : string.Concat(result.Cast<string>());

        long? Clip(long? bound) => bound is not { } at ? null : Math.Clamp(at < 0 ? at + length : at, lowest, highest);

        static long? Bound(object? bound) => bound is null ? null
            : TryInteger(bound, out var integer) ? (long)BigInteger.Clamp(integer, -int.MaxValue, int.MaxValue)
            : throw new JinjaException(UndefinedComplaint(bound) ?? "slice indices must be integers or None");
    }

    /// <summary>Calls a function or whatever else can be called.</summary>
    public object? Call(object? target, Arguments arguments)
    {
        Meter.Step();
        ThrowIfUndefined(target);
        return target switch
        {
            Function function => function.Invoke(arguments),
            Loop { Recurse: { } recurse } => recurse.Invoke(arguments),
            _ => throw new JinjaException($"'{TypeName(target)}' object is not callable"),
        };
    }

    private bool FindAttribute(object? value, string name, out object? found)
    {
        if (value is PyNamespace space)
        {
            found = space.Attributes.TryGetValue(name, out object? attribute) ? attribute : new Undefined($"'Namespace object' has no attribute '{name}'");
            return true;
        }
        if (value is Loop loop)
        {
            found = Methods.OfLoop(this, loop, name);
            return true;
        }
        found = Methods.Find(this, value, name);
        return found is not null;
    }

    private static bool TryOffset(BigInteger index, int length, out int offset)
    {
        var at = index.Sign < 0 ? index + length : index;
        bool isInside = at.Sign >= 0 && at < length;
        offset = isInside ? (int)at : 0;
        return isInside;
    }

    private static void ThrowIfUndefined(object? value)
    {
        if (value is Undefined undefined) throw new JinjaException(undefined.Complaint);
    }
}
