using System.Collections;

namespace DeepSeekR1.Configuration;

/// <summary>What a setting's type looks like in JSON.</summary>
internal enum ConfigKind
{
    Boolean,
    Integer,
    Number,
    Text,
    Choice,
    List,
    Map,
    Record,
}

/// <summary>The JSON shape of a .NET type.</summary>
/// <param name="Kind">Which of the shapes.</param>
/// <param name="Type">The type without <see cref="Nullable{T}"/>.</param>
/// <param name="Element">The type of a list's items or a map's values.</param>
internal readonly record struct ConfigShape(ConfigKind Kind, Type Type, Type? Element = null)
{
    public static ConfigShape Of(Type declared)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        if (type == typeof(bool)) return new(ConfigKind.Boolean, type);
        if (type == typeof(int) || type == typeof(long) || type == typeof(uint) || type == typeof(ulong)) return new(ConfigKind.Integer, type);
        if (type == typeof(double) || type == typeof(float)) return new(ConfigKind.Number, type);
        if (type == typeof(string)) return new(ConfigKind.Text, type);
        if (type.IsEnum) return new(ConfigKind.Choice, type);
        if (MapValue(type) is { } value) return new(ConfigKind.Map, type, value);
        if (ListItem(type) is { } item) return new(ConfigKind.List, type, item);
        if (type.IsClass && !type.IsAssignableTo(typeof(IEnumerable)) && type.GetConstructor(Type.EmptyTypes) is not null) return new(ConfigKind.Record, type);
        throw new NotSupportedException($"{type} cannot be configured: config records have a parameterless constructor, lists are IReadOnlyList, maps are " +
            "IReadOnlyDictionary with text keys, numbers are int, long, uint, ulong, float or double.");
    }

    private static Type? MapValue(Type type) =>
        type.IsGenericType && type.GetGenericArguments() is [var key, var value] && key == typeof(string)
        && type.IsAssignableFrom(typeof(OrderedDictionary<,>).MakeGenericType(key, value)) ? value : null;

    private static Type? ListItem(Type type) =>
        type.IsArray ? type.GetElementType()
        : type.IsGenericType && type.GetGenericArguments() is [var item] && type.IsAssignableFrom(item.MakeArrayType()) ? item : null;
}
