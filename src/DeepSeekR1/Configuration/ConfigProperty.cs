using System.Collections.Concurrent;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace DeepSeekR1.Configuration;

/// <summary>One setting: a public property with a setter or initialiser, under its camelCase name.</summary>
internal sealed class ConfigProperty
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<ConfigProperty>> _known = new();

    private readonly PropertyInfo _property;

    private ConfigProperty(PropertyInfo property)
    {
        _property = property;
        Name = NameOf(property.Name);
        Range = property.GetCustomAttribute<RangeAttribute>();
        Description = property.GetCustomAttribute<DescriptionAttribute>()?.Description;
        IsRequired = property.IsDefined(typeof(RequiredMemberAttribute));
        IsNullable = new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;
    }

    public string Name { get; }

    public Type Type => _property.PropertyType;

    /// <summary>Bounds of a number; of a list or map of numbers: of each of them.</summary>
    public RangeAttribute? Range { get; }

    public string? Description { get; }

    public bool IsRequired { get; }

    public bool IsNullable { get; }

    public object? GetValue(object record) => _property.GetValue(record);

    public void SetValue(object record, object? value) => _property.SetValue(record, value);

    /// <summary>The settings of a record, in the order of their declaration.</summary>
    public static IReadOnlyList<ConfigProperty> Of(Type record) => _known.GetOrAdd(record, static type =>
        [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is { IsPublic: true } && property.GetIndexParameters().Length == 0)
            .OrderBy(property => property.MetadataToken)
            .Select(property => new ConfigProperty(property))]);

    /// <summary>The written name of a property: <c>TopP</c> → <c>topP</c>.</summary>
    public static string NameOf(string property) => JsonNamingPolicy.CamelCase.ConvertName(property);
}
