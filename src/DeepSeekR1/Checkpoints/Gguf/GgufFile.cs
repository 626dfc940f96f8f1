using System.Numerics;
using System.Text;

namespace DeepSeekR1.Checkpoints.Gguf;

/// <summary>A tensor of a GGUF file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What its numbers are, such as <c>F16</c> or <c>Q8_0</c>; the format's own number where it has no name here.</param>
/// <param name="Shape">Its dimensions, outermost first.</param>
/// <param name="Offset">Where its data begins, from the beginning of all data.</param>
public sealed record GgufTensorEntry(string Name, string Type, IReadOnlyList<long> Shape, long Offset)
{
    /// <summary>Number of elements.</summary>
    public long Elements => Shape.Aggregate(1L, (product, dimension) => product * dimension);
}

/// <summary>The header of a GGUF file: metadata and the descriptions of its tensors. Their data is not read.</summary>
public sealed class GgufFile
{
    /// <summary>The narrowest types take more than one and a half bits a weight.</summary>
    private const int MostDimensions = 4, MostElementsPerByte = 8;

    /// <summary>By <c>ggml_type</c>.</summary>
    private static readonly Dictionary<uint, string> _types = new()
    {
        [0] = "F32",
        [1] = "F16",
        [2] = "Q4_0",
        [3] = "Q4_1",
        [6] = "Q5_0",
        [7] = "Q5_1",
        [8] = "Q8_0",
        [10] = "Q2_K",
        [11] = "Q3_K",
        [12] = "Q4_K",
        [13] = "Q5_K",
        [14] = "Q6_K",
        [24] = "I8",
        [25] = "I16",
        [26] = "I32",
        [27] = "I64",
        [28] = "F64",
        [30] = "BF16",
    };

    private GgufFile(Dictionary<string, object> metadata, List<GgufTensorEntry> tensors) => (Metadata, Tensors) = (metadata, tensors);

    /// <summary>Numbers, truth values, texts, and lists of them (<c>object[]</c>).</summary>
    public IReadOnlyDictionary<string, object> Metadata { get; }

    /// <summary>Every tensor, in the order of the file.</summary>
    public IReadOnlyList<GgufTensorEntry> Tensors { get; }

    /// <summary>Reads the header. No count or length is believed that the file is too small for.</summary>
    /// <exception cref="R1Exception">The file is missing, unreadable, or no GGUF of version 2 or 3.</exception>
    public static GgufFile Read(string path)
    {
        try
        {
            using var stream = new BufferedStream(File.OpenRead(path), 1 << 16);
            using var reader = new BinaryReader(stream);
            if (reader.ReadUInt32() != GgufWriter.Magic) throw new R1Exception($"{path}: no GGUF file; it does not begin with GGUF.");
            if (reader.ReadUInt32() is var version and (< 2 or > GgufWriter.Version)) throw new R1Exception($"{path}: GGUF version {version} is not supported; supported are 2 and 3.");
            return new HeaderReader(path, reader).Read();
        }
        catch (EndOfStreamException failure)
        {
            throw new R1Exception($"{path}: the file ends within its header; the download is not complete.", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new R1Exception($"{path}: cannot be read: {failure.Message}", failure);
        }
    }

    private sealed class HeaderReader(string path, BinaryReader reader)
    {
        public GgufFile Read()
        {
            // The smallest description takes 24 bytes, the smallest key with its value 13.
            long tensors = Count(24), keys = Count(13);
            var metadata = new Dictionary<string, object>(StringComparer.Ordinal);
            for (long i = 0; i < keys; i++)
            {
                string key = Text();
                if (!metadata.TryAdd(key, Value((GgufValue)reader.ReadUInt32(), key))) throw Damaged($"the key {key} occurs twice");
            }
            var entries = new List<GgufTensorEntry>();
            for (long i = 0; i < tensors; i++) entries.Add(Tensor());
            return new GgufFile(metadata, entries);
        }

        private GgufTensorEntry Tensor()
        {
            string name = Text();
            uint dimensions = reader.ReadUInt32();
            if (dimensions > MostDimensions) throw Damaged($"tensor {name} has {dimensions} dimensions, at most {MostDimensions} are possible");
            var shape = new long[dimensions];
            for (int i = shape.Length - 1; i >= 0; i--) shape[i] = reader.ReadInt64();
            var elements = shape.Aggregate(BigInteger.One, (product, dimension) => product * dimension);
            if (shape.Any(dimension => dimension < 0) || elements > reader.BaseStream.Length * MostElementsPerByte)
                throw Damaged($"tensor {name} of shape [{string.Join(", ", shape)}] exceeds what the file can hold");
            uint type = reader.ReadUInt32();
            return new GgufTensorEntry(name, _types.GetValueOrDefault(type) ?? $"type {type}", shape, reader.ReadInt64());
        }

        private object Value(GgufValue type, string key) => type switch
        {
            GgufValue.UInt8 => reader.ReadByte(),
            GgufValue.Int8 => reader.ReadSByte(),
            GgufValue.UInt16 => reader.ReadUInt16(),
            GgufValue.Int16 => reader.ReadInt16(),
            GgufValue.UInt32 => reader.ReadUInt32(),
            GgufValue.Int32 => reader.ReadInt32(),
            GgufValue.Float32 => reader.ReadSingle(),
            GgufValue.Bool => reader.ReadBoolean(),
            GgufValue.Text => Text(),
            GgufValue.List => List(key),
            GgufValue.UInt64 => reader.ReadUInt64(),
            GgufValue.Int64 => reader.ReadInt64(),
            GgufValue.Float64 => reader.ReadDouble(),
            _ => throw Damaged($"the key {key} has a value of the unknown type {(uint)type}"),
        };

        private object[] List(string key)
        {
            var type = (GgufValue)reader.ReadUInt32();
            if (type == GgufValue.List) throw Damaged($"the key {key} is a list of lists");
            var values = new List<object>();
            for (long i = Count(leastBytes: 1); i > 0; i--) values.Add(Value(type, key));
            return [.. values];
        }

        private string Text() => Encoding.UTF8.GetString(reader.ReadBytes(checked((int)Count(leastBytes: 1))));

        /// <summary>A number of things that take so many bytes each, at least.</summary>
        private long Count(int leastBytes)
        {
            long count = reader.ReadInt64(), left = reader.BaseStream.Length - reader.BaseStream.Position;
            return count >= 0 && count <= left / leastBytes && count <= int.MaxValue ? count : throw Damaged($"a count of {count} exceeds what the file can hold");
        }

        private R1Exception Damaged(string what) => new($"{path}: {what}; the file is damaged.");
    }
}
