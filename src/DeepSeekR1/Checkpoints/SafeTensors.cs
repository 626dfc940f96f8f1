using System.Buffers.Binary;
using System.Text.Json;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Checkpoints;

/// <summary>Reads and writes whole SafeTensors files. <see cref="SafeTensorsFile"/> reads single tensors.</summary>
public static class SafeTensors
{
    /// <summary>Opens a file and checks its header; nothing of its data is read yet.</summary>
    /// <exception cref="R1Exception">The file is missing, unreadable, or not a valid SafeTensors file.</exception>
    public static SafeTensorsFile Open(string path) => SafeTensorsFile.Open(path);

    /// <summary>Reads every tensor; the caller owns them.</summary>
    /// <exception cref="R1Exception">The file is missing, unreadable, or not a valid SafeTensors file.</exception>
    public static Dictionary<string, Tensor> Load(string path, Device? device = null)
    {
        using var file = Open(path);
        return file.Tensors.Keys.ToDictionary(name => name, name => file.Read(name, device: device), StringComparer.Ordinal);
    }

    /// <summary>
    /// Writes tensors, one at a time through a small buffer, aside, flushes them to the disk and renames: the path holds the old file
    /// or the new one, never a part.
    /// </summary>
    /// <param name="path">The file; its folder exists.</param>
    /// <param name="tensors">What to write; read only, any device.</param>
    /// <param name="metadata">Strings for <c>__metadata__</c>; null writes <c>format: pt</c>, which other libraries ask for.</param>
    /// <exception cref="R1Exception">The file cannot be written, or a dtype has no place in the format.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        AtomicFile.Write(path, stream =>
        {
            // Widest elements first, so that each tensor begins at a multiple of its element size; then by name.
            var ordered = tensors.OrderByDescending(tensor => SafeTensorsDtype.Size(tensor.Value.dtype)).ThenBy(tensor => tensor.Key, StringComparer.Ordinal).ToList();
            WriteHeader(stream, ordered, metadata ?? new Dictionary<string, string> { ["format"] = "pt" });
            foreach (var (_, tensor) in ordered) WriteData(stream, tensor);
        });

    private static void WriteHeader(Stream stream, List<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            foreach (var (key, value) in metadata) writer.WriteString(key, value);
            writer.WriteEndObject();
            long offset = 0;
            foreach (var (name, tensor) in tensors)
            {
                long end = offset + tensor.numel() * SafeTensorsDtype.Size(tensor.dtype);
                writer.WriteStartObject(name);
                writer.WriteString("dtype", SafeTensorsDtype.NameOf(tensor.dtype));
                WriteIntegers(writer, "shape", tensor.shape);
                WriteIntegers(writer, "data_offsets", [offset, end]);
                writer.WriteEndObject();
                offset = end;
            }
            writer.WriteEndObject();
        }
        while (json.Length % 8 != 0) json.WriteByte((byte)' ');
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        stream.Write(length);
        json.WriteTo(stream);
    }

    private static void WriteIntegers(Utf8JsonWriter writer, string name, ReadOnlySpan<long> values)
    {
        writer.WriteStartArray(name);
        foreach (long value in values) writer.WriteNumberValue(value);
        writer.WriteEndArray();
    }

    private static void WriteData(Stream stream, Tensor tensor)
    {
        const long chunkElements = 1 << 20;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var flat = tensor.detach().contiguous().view(-1);
        for (long start = 0; start < flat.shape[0]; start += chunkElements)
        {
            using var chunkScope = NewDisposeScope();
            stream.Write(flat.narrow(0, start, Math.Min(chunkElements, flat.shape[0] - start)).cpu().bytes);
        }
    }
}
