using System.Text.Json;

namespace DeepSeekR1.Text.Tokenization;

/// <summary>A value in a JSON file that remembers where it stands, so that every complaint names file and field.</summary>
internal readonly record struct JsonField(string File, string Path, JsonElement Value)
{
    /// <summary>Larger files are refused: the largest tokenizer.json in use is about 35 MB.</summary>
    private const long LargestFile = 512L << 20;

    /// <summary>Reads a file whose top level is an object.</summary>
    public static JsonField Read(string file) => Parse(file, ReadBytes(file));

    /// <summary>Parses the bytes of a file whose top level is an object; comments are not allowed.</summary>
    public static JsonField Parse(string file, ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
        try
        {
            var root = new JsonField(file, "", JsonElement.Parse(bytes));
            return root.Value.ValueKind == JsonValueKind.Object ? root : throw root.Error("expected an object at the top level");
        }
        catch (JsonException failure)
        {
            throw new R1Exception($"{file}, line {failure.LineNumber + 1}, byte {failure.BytePositionInLine + 1}: not valid JSON. Fetch the file again.", failure);
        }
    }

    /// <summary>The bytes of a file, with the errors of the file system in words.</summary>
    public static byte[] ReadBytes(string file)
    {
        try
        {
            long length = new FileInfo(file).Length;
            if (length > LargestFile) throw new R1Exception($"{file} has {length:N0} bytes; files over {LargestFile:N0} bytes are refused here.");
            return System.IO.File.ReadAllBytes(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new R1Exception($"{file} cannot be read: {failure.Message}", failure);
        }
    }

    /// <summary>The member of that name, or null where it is absent or null.</summary>
    public JsonField? Find(string name)
    {
        if (Value.ValueKind != JsonValueKind.Object) throw Error("expected an object");
        return Value.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? this with { Path = Inside(name), Value = member } : null;
    }

    /// <summary>The member of that name, which must be there.</summary>
    public JsonField Get(string name) => Find(name) ?? throw Error($"the field '{name}' is missing");

    /// <summary>The value of the member "type".</summary>
    public string Type => Get("type").String();

    public string String()
    {
        if (Value.ValueKind != JsonValueKind.String) throw Error("expected a string");
        try
        {
            return Value.GetString()!;
        }
        catch (InvalidOperationException failure)
        {
            throw new R1Exception($"{Where}: the string has half a surrogate pair.", failure);
        }
    }

    public int Int(int minimum, int maximum) =>
        Value.ValueKind == JsonValueKind.Number && Value.TryGetInt32(out int number) && number >= minimum && number <= maximum
            ? number : throw Error($"expected a whole number from {minimum} to {maximum}");

    public bool Bool() => Value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Error("expected true or false"),
    };

    /// <summary>The boolean member of that name, or false where it is absent.</summary>
    public bool Flag(string name) => Find(name)?.Bool() ?? false;

    /// <summary>The elements of the array.</summary>
    public IEnumerable<JsonField> Items()
    {
        if (Value.ValueKind != JsonValueKind.Array) throw Error("expected an array");
        var self = this;
        return Value.EnumerateArray().Select((item, index) => self with { Path = $"{self.Path}[{index}]", Value = item });
    }

    /// <summary>The members of the object.</summary>
    public IEnumerable<(string Name, JsonField Field)> Members()
    {
        if (Value.ValueKind != JsonValueKind.Object) throw Error("expected an object");
        foreach (var member in Value.EnumerateObject())
        {
            string name;
            try
            {
                name = member.Name;
            }
            catch (InvalidOperationException failure)
            {
                throw new R1Exception($"{Where}: a name in this object has half a surrogate pair.", failure);
            }
            yield return (name, this with { Path = Inside(name), Value = member.Value });
        }
    }

    /// <summary>The complaint about this field.</summary>
    public R1Exception Error(string complaint) => new($"{Where}: {complaint}.");

    /// <summary>The complaint about a kind that nobody here knows.</summary>
    public R1Exception UnknownKind(string known) => Get("type").Error($"'{Type}' is not supported; known are {known}");

    private string Where => Path.Length == 0 ? File : $"{File}, field {Path}";

    private string Inside(string name) => Path.Length == 0 ? name : $"{Path}.{name}";
}
