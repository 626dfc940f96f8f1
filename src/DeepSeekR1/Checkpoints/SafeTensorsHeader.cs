using System.Buffers.Binary;
using System.Numerics;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;

namespace DeepSeekR1.Checkpoints;

/// <summary>
/// Reads and checks the header of a SafeTensors file: 8 bytes of length (little endian), a JSON object of tensors, then their bytes
/// without gap or overlap. The file is untrusted: every size is compared with the file's before anything of that size is allocated.
/// </summary>
internal sealed class SafeTensorsHeader
{
    private const int LengthBytes = 8;
    /// <summary>The format's own limit; it also keeps the length within a span.</summary>
    private const long LargestHeader = 100_000_000;
    /// <summary>A valid header nests three deep: object, tensor, list.</summary>
    private const int DeepestNesting = 8;

    private readonly string _file;
    private readonly Dictionary<string, TensorEntry> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private (string Name, long End) _furthest = ("", 0);

    private SafeTensorsHeader(string file) => _file = file;

    public IReadOnlyDictionary<string, TensorEntry> Tensors => _tensors;

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <exception cref="R1Exception">The header does not describe this file.</exception>
    public static SafeTensorsHeader Read(SafeFileHandle handle, string file)
    {
        var header = new SafeTensorsHeader(file);
        long fileSize = RandomAccess.GetLength(handle);
        byte[] json = header.ReadJson(handle, fileSize);
        header.CheckSyntax(json);
        header.Parse(json, dataStart: LengthBytes + json.Length, dataSize: fileSize - LengthBytes - json.Length);
        return header;
    }

    private byte[] ReadJson(SafeFileHandle handle, long fileSize)
    {
        if (fileSize < LengthBytes) throw Broken($"{fileSize} bytes, too short for the 8-byte header length of a SafeTensors file");
        Span<byte> prefix = stackalloc byte[LengthBytes];
        ReadExactly(handle, prefix, 0);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length == 0) throw Broken("header length 0, no JSON object");
        if (length > (ulong)(fileSize - LengthBytes))
            throw Broken($"header length {length} exceeds the file size of {fileSize} bytes: the file ends inside the header, or is not a SafeTensors file");
        if (length > LargestHeader) throw Broken($"header length {length} exceeds the format's limit of {LargestHeader} bytes");
        var json = new byte[length];
        ReadExactly(handle, json, LengthBytes);
        return json;
    }

    private void ReadExactly(SafeFileHandle handle, Span<byte> buffer, long offset)
    {
        while (!buffer.IsEmpty)
        {
            int read = RandomAccess.Read(handle, buffer, offset);
            if (read == 0) throw Broken($"the file ended at byte {offset} while its header was read");
            buffer = buffer[read..];
            offset += read;
        }
    }

    private void CheckSyntax(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json)) throw Broken("header is not valid UTF-8");
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = DeepestNesting + 1 });
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject) throw Broken($"header must be a JSON object, found {Describe(reader.TokenType)}");
            while (reader.Read())
                if (reader.CurrentDepth >= DeepestNesting) throw Broken($"header nests too deeply (more than {DeepestNesting} levels)");
        }
        catch (JsonException error)
        {
            throw new R1Exception($"{_file}: header is not valid JSON (byte {reader.BytesConsumed} of the header)", error);
        }
    }

    private void Parse(ReadOnlySpan<byte> json, long dataStart, long dataSize)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = Text(ref reader);
            reader.Read();
            if (name == "__metadata__") ParseMetadata(ref reader);
            else if (!_tensors.TryAdd(name, ParseTensor(ref reader, name, dataStart))) throw Broken($"tensor {name} appears twice in the header");
        }
        if (_furthest.End > dataSize)
            throw Broken($"tensor {_furthest.Name} ends beyond the data, at offset {_furthest.End}: expected {_furthest.End} bytes of data, actual {dataSize}; the file ends inside the tensor data");
        CheckCoverage(dataStart, dataSize);
    }

    private void ParseMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw Broken("__metadata__ must be an object of strings");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = Text(ref reader);
            reader.Read();
            if (reader.TokenType != JsonTokenType.String) throw Broken($"__metadata__ entry {key} must be a string, found {Describe(reader.TokenType)}");
            _metadata[key] = Text(ref reader);
        }
    }

    private TensorEntry ParseTensor(ref Utf8JsonReader reader, string name, long dataStart)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw Broken($"tensor {name} must be a JSON object, found {Describe(reader.TokenType)}");
        string? dtypeName = null;
        List<long>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string field = Text(ref reader);
            reader.Read();
            switch (field)
            {
                case "dtype":
                    if (reader.TokenType != JsonTokenType.String) throw Broken($"tensor {name} has a dtype that is not a string");
                    dtypeName = Text(ref reader);
                    break;
                case "shape": shape = Integers(ref reader, $"tensor {name} has shape entries that are not integers"); break;
                case "data_offsets": offsets = Integers(ref reader, $"tensor {name} has data_offsets that are not integers"); break;
                default: throw Broken($"tensor {name} has the unknown field {field}; known are dtype, shape, data_offsets");
            }
        }
        if (dtypeName is null) throw Broken($"tensor {name} has no dtype");
        if (shape is null) throw Broken($"tensor {name} has no shape");
        if (offsets is not [long begin, long end]) throw Broken($"tensor {name} has no data_offsets of two numbers");
        var dtype = SafeTensorsDtype.Parse(dtypeName)
            ?? throw Broken($"tensor {name} has unknown dtype {dtypeName}; known are {SafeTensorsDtype.KnownNames}");

        CheckRange(name, begin, end);
        long bytes = SizeOf(name, shape, SafeTensorsDtype.Size(dtype));
        if (bytes != end - begin)
            throw Broken($"tensor {name} has shape [{string.Join(", ", shape)}] of {dtypeName} ({bytes} bytes) but {end - begin} bytes of data");
        return new TensorEntry(name, dtype, shape, dataStart + begin, bytes);
    }

    private void CheckRange(string name, long begin, long end)
    {
        if (begin < 0 || end < 0) throw Broken($"tensor {name} has a negative offset [{begin}, {end}]");
        if (begin > end) throw Broken($"tensor {name} begins after it ends [{begin}, {end}]");
        if (end > _furthest.End) _furthest = (name, end);
    }

    private long SizeOf(string name, List<long> shape, int elementSize)
    {
        if (shape.Any(dimension => dimension < 0)) throw Broken($"tensor {name} has a negative dimension in [{string.Join(", ", shape)}]");
        var size = shape.Aggregate(new BigInteger(elementSize), (product, dimension) => product * dimension);
        return size <= long.MaxValue ? (long)size : throw Broken($"the size of tensor {name} overflows 64 bits: shape [{string.Join(", ", shape)}]");
    }

    private void CheckCoverage(long dataStart, long dataSize)
    {
        long covered = dataStart;
        TensorEntry? previous = null;
        foreach (var tensor in _tensors.Values.OrderBy(tensor => tensor.Offset).ThenBy(tensor => tensor.Bytes))
        {
            if (tensor.Offset < covered)
                throw Broken($"tensors {previous?.Name} and {tensor.Name} overlap ({Range(previous)} and {Range(tensor)})");
            if (tensor.Offset > covered) throw Hole(covered, tensor.Offset);
            (covered, previous) = (tensor.Offset + tensor.Bytes, tensor);
        }
        if (covered != dataStart + dataSize) throw Hole(covered, dataStart + dataSize);

        string Range(TensorEntry? tensor) => tensor is null ? "" : $"[{tensor.Offset - dataStart}, {tensor.Offset - dataStart + tensor.Bytes}]";
        R1Exception Hole(long from, long to) => Broken($"the tensors leave bytes of the data unused (a hole from {from - dataStart} to {to - dataStart})");
    }

    private List<long> Integers(ref Utf8JsonReader reader, string complaint)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Broken(complaint);
        var values = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long value)) throw Broken(complaint);
            values.Add(value);
        }
        return values;
    }

    private string Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            // An escaped lone surrogate: valid JSON syntax, not a valid string.
            throw new R1Exception($"{_file}: header holds a string that is not valid Unicode (byte {reader.TokenStartIndex} of the header)", error);
        }
    }

    private static string Describe(JsonTokenType token) => token switch
    {
        JsonTokenType.StartArray => "an array",
        JsonTokenType.StartObject => "an object",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.Null => "null",
        _ => "a boolean",
    };

    private R1Exception Broken(string what) => new($"{_file}: {what}.");
}
