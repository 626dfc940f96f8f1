using System.Runtime.InteropServices;
using System.Text.Json;
using DeepSeekR1.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

/// <summary>Reads the golden files: JSON rows and the tensors beside them.</summary>
internal static class GoldenFile
{
    public static JsonElement Json(params string[] parts) => JsonDocument.Parse(File.ReadAllText(Reference.Golden(parts))).RootElement;

    public static List<JsonElement> Rows(params string[] parts) =>
        [.. File.ReadLines(Reference.Golden(parts)).Where(line => line.Length > 0).Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>A number; non-finite ones are written as strings.</summary>
    public static double Number(this JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? double.Parse(value.GetString()!) : value.GetDouble();

    public static double Number(this JsonElement row, string name) => row.GetProperty(name).Number();

    public static double? NumberOrNull(this JsonElement row, string name) =>
        row.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.Number() : null;

    public static string Text(this JsonElement row, string name) => row.GetProperty(name).GetString()!;

    public static double[] Numbers(this JsonElement row, string name) => [.. row.GetProperty(name).EnumerateArray().Select(Number)];

    /// <summary>All tensors of a safetensors file, read by the published layout and not by the code under test.</summary>
    public static Dictionary<string, Tensor> Tensors(params string[] parts)
    {
        byte[] file = File.ReadAllBytes(Reference.Golden(parts));
        int header = checked((int)BitConverter.ToInt64(file));
        var tensors = new Dictionary<string, Tensor>();
        foreach (var entry in JsonDocument.Parse(file.AsMemory(8, header)).RootElement.EnumerateObject().Where(e => e.Name != "__metadata__"))
        {
            int[] offsets = [.. entry.Value.GetProperty("data_offsets").EnumerateArray().Select(o => o.GetInt32())];
            long[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())];
            var dtype = entry.Value.Text("dtype") switch { "F32" => ScalarType.Float32, "I64" => ScalarType.Int64, var other => throw new NotSupportedException(other) };
            var values = empty(shape, dtype);
            file.AsSpan((8 + header + offsets[0])..(8 + header + offsets[1])).CopyTo(values.bytes);
            tensors[entry.Name] = values;
        }
        return tensors;
    }

    public static float[] Floats(this Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.to(ScalarType.Float32).contiguous().bytes).ToArray();

    public static long[] Longs(this Tensor tensor) => MemoryMarshal.Cast<byte, long>(tensor.contiguous().bytes).ToArray();

    public static double LargestDifference(this Tensor a, Tensor b) =>
        a.numel() == 0 ? 0 : (a.to(ScalarType.Float64) - b.to(ScalarType.Float64)).abs().max().item<double>();
}
