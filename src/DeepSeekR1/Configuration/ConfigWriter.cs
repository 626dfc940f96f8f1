using System.Collections;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace DeepSeekR1.Configuration;

/// <summary>Writes a config with every setting, as <see cref="ConfigReader"/> reads it: the resolved config of a run folder.</summary>
public static class ConfigWriter
{
    private static readonly JsonWriterOptions _options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The record as indented JSON, a line break at the end.</summary>
    public static string Write(object config)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, _options)) WriteRecord(writer, config);
        buffer.WriteByte((byte)'\n');
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>The first setting in which two configs of a kind differ, as each has it (<c>"seed": 1</c>); null where they are equal.</summary>
    internal static (string First, string Second)? FirstDifference(object first, object second)
    {
        string[] lines = Write(first).Split('\n'), others = Write(second).Split('\n');
        for (int i = 0; i < Math.Min(lines.Length, others.Length); i++)
            if (lines[i] != others[i]) return (lines[i].Trim().TrimEnd(','), others[i].Trim().TrimEnd(','));
        return null;
    }

    internal static void WriteValue(Utf8JsonWriter writer, Type type, object? value)
    {
        if (value is null)
        {
            writer.WriteNullValue();
            return;
        }
        var shape = ConfigShape.Of(type);
        switch (shape.Kind)
        {
            case ConfigKind.Boolean: writer.WriteBooleanValue((bool)value); break;
            case ConfigKind.Integer or ConfigKind.Number: WriteNumber(writer, value); break;
            case ConfigKind.Text: writer.WriteStringValue((string)value); break;
            case ConfigKind.Choice: writer.WriteStringValue(EnumNames.Name(value)); break;
            case ConfigKind.List: WriteList(writer, shape.Element!, (IEnumerable)value); break;
            case ConfigKind.Map: WriteMap(writer, shape.Element!, (IEnumerable)value); break;
            default: WriteRecord(writer, value); break;
        }
    }

    private static void WriteRecord(Utf8JsonWriter writer, object record)
    {
        writer.WriteStartObject();
        foreach (var property in ConfigProperty.Of(record.GetType()))
        {
            writer.WritePropertyName(property.Name);
            WriteValue(writer, property.Type, property.GetValue(record));
        }
        writer.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter writer, object value)
    {
        switch (value)
        {
            case double real: writer.WriteNumberValue(real); break;
            case float real: writer.WriteNumberValue(real); break;
            case ulong whole: writer.WriteNumberValue(whole); break;
            default: writer.WriteNumberValue(Convert.ToInt64(value)); break;
        }
    }

    private static void WriteList(Utf8JsonWriter writer, Type element, IEnumerable list)
    {
        writer.WriteStartArray();
        foreach (object? item in list) WriteValue(writer, element, item);
        writer.WriteEndArray();
    }

    private static void WriteMap(Utf8JsonWriter writer, Type element, IEnumerable map)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in ConfigBinder.Entries(map))
        {
            writer.WritePropertyName(name);
            WriteValue(writer, element, value);
        }
        writer.WriteEndObject();
    }
}
