using System.Collections;
using System.Globalization;
using System.Reflection;

namespace DeepSeekR1.Configuration;

/// <summary>Nodes → an immutable record. Starts from the record's defaults; what is written replaces them, nested records included.</summary>
internal sealed class ConfigBinder
{
    /// <summary>Path of each setting that was written → where.</summary>
    private readonly Dictionary<string, ConfigPosition> _positions = [];

    /// <summary>Where the setting at this path, or the nearest one around it, was written; null when nowhere.</summary>
    public ConfigPosition? Locate(string path)
    {
        for (string at = path; at.Length > 0; at = at[..Math.Max(0, at.LastIndexOfAny(['.', '[']))])
            if (_positions.TryGetValue(at, out var position)) return position;
        return null;
    }

    /// <summary>The record that the nodes describe.</summary>
    /// <exception cref="R1Exception">An unknown name, a wrong type, a missing setting.</exception>
    public object BindRecord(Type type, ConfigNode node, string path = "", object? defaults = null)
    {
        if (node is not ConfigObject written) throw Error(node, path, $"expected an object {{…}}, but found {node.Shown}.");
        var record = defaults is null ? Activator.CreateInstance(type)! : Copy(defaults);
        var properties = ConfigProperty.Of(type);
        foreach (var (name, member) in written.Members)
        {
            var property = properties.FirstOrDefault(candidate => candidate.Name == name)
                ?? throw Error(member.NamePosition, Join(path, name), $"no such setting; {NearestName.Hint(name, [.. properties.Select(known => known.Name)])}");
            string propertyPath = Join(path, name);
            _positions[propertyPath] = member.Value.Position;
            property.SetValue(record, BindValue(property.Type, property.IsNullable, member.Value, propertyPath, property.GetValue(record)));
        }
        foreach (var property in properties)
            if (property.IsRequired && defaults is null && !written.Members.ContainsKey(property.Name))
                throw Error(node, path, $"'{property.Name}' is missing.");
        return record;
    }

    private object? BindValue(Type type, bool isNullable, ConfigNode node, string path, object? current)
    {
        var shape = ConfigShape.Of(type);
        // A bare text on the command line is a text, even the text "null", unless null is a possible value.
        if (node is ConfigScalar { IsNull: true } scalar && (isNullable || scalar.Kind == ScalarKind.Null))
            return isNullable ? null : throw Error(node, path, "null is not possible here; leave the setting out to take its default.");
        return shape.Kind switch
        {
            ConfigKind.Boolean => BindBoolean(node, path),
            ConfigKind.Integer => BindInteger(shape.Type, node, path),
            ConfigKind.Number => BindNumber(shape.Type, node, path),
            ConfigKind.Text => node is ConfigScalar { IsText: true } text ? text.Text : throw Error(node, path, $"expected a text in quotes, but found {node.Shown}."),
            ConfigKind.Choice => BindChoice(shape.Type, node, path),
            ConfigKind.List => BindList(shape, node, path),
            ConfigKind.Map => BindMap(shape, node, path, (IEnumerable?)current),
            _ => BindRecord(shape.Type, node, path, current),
        };
    }

    private static bool BindBoolean(ConfigNode node, string path) => node switch
    {
        ConfigScalar { Kind: ScalarKind.True } or ConfigScalar { Kind: ScalarKind.Argument, Text: "true" } => true,
        ConfigScalar { Kind: ScalarKind.False } or ConfigScalar { Kind: ScalarKind.Argument, Text: "false" } => false,
        _ => throw Error(node, path, $"expected true or false, but found {node.Shown}."),
    };

    private static object BindInteger(Type type, ConfigNode node, string path)
    {
        if (node is ConfigScalar { IsNumber: true } number && long.TryParse(number.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
        {
            if (type == typeof(int) && value is >= int.MinValue and <= int.MaxValue) return (int)value;
            if (type == typeof(uint) && value is >= 0 and <= uint.MaxValue) return (uint)value;
            if (type == typeof(ulong) && value >= 0) return (ulong)value;
            if (type == typeof(long)) return value;
        }
        if (type == typeof(ulong) && node is ConfigScalar { IsNumber: true } large && ulong.TryParse(large.Text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong wide))
            return wide;
        var (least, most) = (type.GetField(nameof(int.MinValue))!.GetValue(null), type.GetField(nameof(int.MaxValue))!.GetValue(null));
        throw Error(node, path, $"expected a whole number from {least} to {most}, but found {node.Shown}.");
    }

    private static object BindNumber(Type type, ConfigNode node, string path)
    {
        string text = node is ConfigScalar { IsNumber: true } number ? number.Text : "";
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        bool isNumber = double.TryParse(text, Style, CultureInfo.InvariantCulture, out double value)
            && (type == typeof(float) ? float.IsFinite((float)value) : double.IsFinite(value));
        if (!isNumber) throw Error(node, path, $"expected a number, but found {node.Shown}.");
        return Convert.ChangeType(value, type, CultureInfo.InvariantCulture);
    }

    private static object BindChoice(Type type, ConfigNode node, string path)
    {
        var names = EnumNames.All(type);
        if (node is not ConfigScalar { IsText: true } written)
            throw Error(node, path, $"expected one of {string.Join(", ", names.Select(name => $"\"{name}\""))}, but found {node.Shown}.");
        return EnumNames.TryParse(type, written.Text, out var value) ? value
            : throw Error(node, path, $"{node.Shown} is no possible value; {NearestName.HintWithAll(written.Text, names)}");
    }

    private Array BindList(ConfigShape shape, ConfigNode node, string path)
    {
        if (node is not ConfigList list) throw Error(node, path, $"expected a list […], but found {node.Shown}.");
        var items = Array.CreateInstance(shape.Element!, list.Items.Count);
        for (int i = 0; i < list.Items.Count; i++)
        {
            string itemPath = $"{path}[{i}]";
            _positions[itemPath] = list.Items[i].Position;
            items.SetValue(BindValue(shape.Element!, Nullable.GetUnderlyingType(shape.Element!) is not null, list.Items[i], itemPath, null), i);
        }
        return items;
    }

    /// <summary>A map is laid over its default entry by entry; null takes an entry away.</summary>
    private object BindMap(ConfigShape shape, ConfigNode node, string path, IEnumerable? current)
    {
        if (node is not ConfigObject written) throw Error(node, path, $"expected an object {{\"name\": value, …}}, but found {node.Shown}.");
        var map = (IDictionary)Activator.CreateInstance(typeof(OrderedDictionary<,>).MakeGenericType(typeof(string), shape.Element!))!;
        foreach (var (name, value) in Entries(current)) map[name] = value;
        foreach (var (name, member) in written.Members)
        {
            string entryPath = Join(path, name);
            _positions[entryPath] = member.Value.Position;
            if (member.Value is ConfigScalar { IsNull: true }) map.Remove(name);
            else map[name] = BindValue(shape.Element!, false, member.Value, entryPath, map[name]);
        }
        return map;
    }

    /// <summary>The entries of any map with text keys.</summary>
    internal static IEnumerable<(string Name, object? Value)> Entries(IEnumerable? map)
    {
        foreach (object entry in map ?? Array.Empty<object>())
        {
            var type = entry.GetType();
            yield return ((string)type.GetProperty("Key")!.GetValue(entry)!, type.GetProperty("Value")!.GetValue(entry));
        }
    }

    internal static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    internal static R1Exception Error(ConfigPosition? position, string path, string message) =>
        new(string.Join(": ", new[] { position?.ToString() ?? "", path, message }.Where(part => part.Length > 0)));

    private static R1Exception Error(ConfigNode node, string path, string message) => Error(node.Position, path, message);

    /// <summary>What <c>record with { }</c> does.</summary>
    private static object Copy(object record)
    {
        var clone = record.GetType().GetMethod("<Clone>$", BindingFlags.Public | BindingFlags.Instance)
            ?? throw new NotSupportedException($"{record.GetType()} must be a record to be configured.");
        return clone.Invoke(record, null)!;
    }
}
