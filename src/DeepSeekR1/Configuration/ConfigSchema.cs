using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeepSeekR1.Configuration;

/// <summary>The JSON schema (draft 2020-12) of a config record: what an editor needs to complete, explain and check a config.</summary>
public sealed class ConfigSchema
{
    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly JsonObject _definitions = [];
    private readonly Dictionary<string, Type> _types = [];

    private ConfigSchema() { }

    /// <summary>The schema as indented JSON, a line break at the end.</summary>
    /// <typeparam name="T">The root record; its files may also have <c>"$schema"</c> and <c>"extends"</c>.</typeparam>
    public static string Generate<T>() where T : class, new()
    {
        var schema = new ConfigSchema();
        var root = schema.DescribeRecord(typeof(T), new T());
        var properties = (JsonObject)root["properties"]!;
        properties.Insert(0, "$schema", Text("This schema, for editors."));
        properties.Insert(1, "extends", Text($"What this file is laid over: the name of an embedded recipe ({string.Join(", ", EmbeddedRecipes.Names)}) or another file."));
        root.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        root.Insert(1, "title", $"DeepSeekR1 {typeof(T).Name}");
        if (schema._definitions.Count > 0) root["$defs"] = new JsonObject(schema._definitions.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone())));
        return root.ToJsonString(_indented) + "\n";
    }

    private static JsonObject Text(string description) => new() { ["type"] = "string", ["description"] = description };

    private JsonObject DescribeRecord(Type type, object defaults)
    {
        var properties = new JsonObject();
        foreach (var property in ConfigProperty.Of(type))
        {
            var schema = DescribeValue(property.Type, property.Range, property.IsNullable);
            if (property.Description is { } description) schema["description"] = description;
            if (!property.IsRequired) AddDefault(schema, property, property.GetValue(defaults));
            properties[property.Name] = schema;
        }
        var record = new JsonObject { ["type"] = "object" };
        if (type.GetCustomAttribute<DescriptionAttribute>() is { } about) record["description"] = about.Description;
        record["properties"] = properties;
        record["additionalProperties"] = false;
        return record;
    }

    /// <summary>A record's own defaults stand in its definition; a default is repeated only where an outer record chose others.</summary>
    private static void AddDefault(JsonObject schema, ConfigProperty property, object? value)
    {
        bool isRecord = ConfigShape.Of(property.Type).Kind == ConfigKind.Record;
        var written = ToJson(property.Type, value);
        if (isRecord && value is not null && JsonNode.DeepEquals(written, ToJson(property.Type, Activator.CreateInstance(value.GetType())))) return;
        schema["default"] = written;
    }

    private JsonObject DescribeValue(Type type, RangeAttribute? range, bool isNullable)
    {
        var shape = ConfigShape.Of(type);
        JsonObject schema = shape.Kind switch
        {
            ConfigKind.Boolean => new() { ["type"] = "boolean" },
            ConfigKind.Integer => Bounded("integer", range, shape.Type),
            ConfigKind.Number => Bounded("number", range, shape.Type),
            ConfigKind.Text => new() { ["type"] = "string" },
            ConfigKind.Choice => new() { ["enum"] = new JsonArray([.. EnumNames.All(shape.Type).Select(name => JsonValue.Create(name))]) },
            ConfigKind.List => new() { ["type"] = "array", ["items"] = DescribeValue(shape.Element!, range, isNullable: false) },
            // Null takes an entry of the layer below away.
            ConfigKind.Map => new() { ["type"] = "object", ["additionalProperties"] = DescribeValue(shape.Element!, range, isNullable: true) },
            _ => new() { ["$ref"] = Define(shape.Type) },
        };
        return isNullable ? OrNull(schema) : schema;
    }

    private static JsonObject OrNull(JsonObject schema)
    {
        if (schema["type"] is JsonValue type) schema["type"] = new JsonArray(type.GetValue<string>(), "null");
        else if (schema["enum"] is JsonArray names) names.Add(null);
        else return new JsonObject { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };
        return schema;
    }

    private static JsonObject Bounded(string type, RangeAttribute? range, Type number)
    {
        var schema = new JsonObject { ["type"] = type };
        var (least, most) = range is null ? (double.NegativeInfinity, double.PositiveInfinity) : (ConfigRules.Bound(range.Minimum), ConfigRules.Bound(range.Maximum));
        if (number == typeof(uint) || number == typeof(ulong)) least = Math.Max(least, 0);
        if (ConfigRules.IsBounded(least)) schema[range?.MinimumIsExclusive == true ? "exclusiveMinimum" : "minimum"] = least;
        if (ConfigRules.IsBounded(most)) schema[range?.MaximumIsExclusive == true ? "exclusiveMaximum" : "maximum"] = most;
        return schema;
    }

    private string Define(Type type)
    {
        if (_types.TryAdd(type.Name, type))
        {
            _definitions[type.Name] = DescribeRecord(type, Activator.CreateInstance(type)!);
        }
        else if (_types[type.Name] != type)
        {
            throw new NotSupportedException($"two config records are called {type.Name}: {type} and {_types[type.Name]}.");
        }
        return $"#/$defs/{type.Name}";
    }

    private static JsonNode? ToJson(Type type, object? value)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer)) ConfigWriter.WriteValue(writer, type, value);
        return JsonNode.Parse(buffer.ToArray());
    }
}
