using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace DeepSeekR1.Configuration;

/// <summary>JSON with comments and trailing commas → nodes that know their line and column.</summary>
internal static class ConfigParser
{
    private static readonly JsonReaderOptions _options = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>The nodes of a whole text.</summary>
    /// <exception cref="R1Exception">It is not JSON; names line and column.</exception>
    public static ConfigNode Parse(ReadOnlySpan<byte> utf8, string source)
    {
        if (utf8.StartsWith(Encoding.UTF8.Preamble)) utf8 = utf8[Encoding.UTF8.Preamble.Length..];
        if (!Utf8.IsValid(utf8)) throw new R1Exception($"{source}: this is not UTF-8 text; save the file as UTF-8.");
        var reader = new Utf8JsonReader(utf8, _options);
        try
        {
            reader.Read();
            var node = ReadNode(ref reader, utf8, source);
            reader.Read();
            return node;
        }
        catch (JsonException broken)
        {
            var position = new ConfigPosition(source, (int)(broken.LineNumber ?? 0) + 1, (int)(broken.BytePositionInLine ?? 0) + 1);
            throw new R1Exception($"{position}: this is not JSON: {WithoutPosition(broken.Message)}", broken);
        }
    }

    private static ConfigNode ReadNode(ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8, string source)
    {
        var position = PositionAt(utf8, (int)reader.TokenStartIndex, source);
        return reader.TokenType switch
        {
            JsonTokenType.StartObject => ReadObject(ref reader, utf8, position),
            JsonTokenType.StartArray => ReadList(ref reader, utf8, position),
            JsonTokenType.String => new ConfigScalar(position, ScalarKind.Text, ReadText(ref reader, position)),
            JsonTokenType.Number => new ConfigScalar(position, ScalarKind.Number, Encoding.UTF8.GetString(reader.ValueSpan)),
            JsonTokenType.True => new ConfigScalar(position, ScalarKind.True, "true"),
            JsonTokenType.False => new ConfigScalar(position, ScalarKind.False, "false"),
            _ => new ConfigScalar(position, ScalarKind.Null, "null"),
        };
    }

    private static ConfigObject ReadObject(ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8, ConfigPosition position)
    {
        var members = new OrderedDictionary<string, ConfigMember>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var namePosition = PositionAt(utf8, (int)reader.TokenStartIndex, position.Source);
            string name = ReadText(ref reader, namePosition);
            reader.Read();
            if (!members.TryAdd(name, new ConfigMember(namePosition, ReadNode(ref reader, utf8, position.Source))))
                throw new R1Exception($"{namePosition}: '{name}' appears twice in one object; keep one of them.");
        }
        return new ConfigObject(position, members);
    }

    private static ConfigList ReadList(ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8, ConfigPosition position)
    {
        var items = new List<ConfigNode>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) items.Add(ReadNode(ref reader, utf8, position.Source));
        return new ConfigList(position, items);
    }

    private static string ReadText(ref Utf8JsonReader reader, ConfigPosition position)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException loneSurrogate)
        {
            throw new R1Exception($"{position}: the string has an incomplete \\u escape (half of a surrogate pair).", loneSurrogate);
        }
    }

    /// <summary>Line and column (in characters) of a byte offset.</summary>
    private static ConfigPosition PositionAt(ReadOnlySpan<byte> utf8, int offset, string source)
    {
        var before = utf8[..offset];
        int lineStart = before.LastIndexOf((byte)'\n') + 1;
        return new ConfigPosition(source, before.Count((byte)'\n') + 1, Encoding.UTF8.GetCharCount(before[lineStart..]) + 1);
    }

    private static string WithoutPosition(string message)
    {
        int end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
