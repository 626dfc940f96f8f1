using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace DeepSeekR1.Checkpoints;

/// <summary>One tensor of a SafeTensors file as its header describes it; checked against the file before anything is read.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Dtype">What numbers it holds.</param>
/// <param name="Shape">Its dimensions, outermost first; empty for a scalar.</param>
/// <param name="Offset">Where its first byte stands in the file.</param>
/// <param name="Bytes">Its size in bytes.</param>
public sealed record TensorEntry(string Name, ScalarType Dtype, IReadOnlyList<long> Shape, long Offset, long Bytes)
{
    /// <summary>Number of elements.</summary>
    public long Elements => Bytes / SafeTensorsDtype.Size(Dtype);
}

/// <summary>The dtypes of the SafeTensors format that LibTorch computes with.</summary>
internal static class SafeTensorsDtype
{
    private static readonly (string Name, ScalarType Type, int Size)[] _known =
    [
        ("F64", ScalarType.Float64, 8), ("F32", ScalarType.Float32, 4), ("BF16", ScalarType.BFloat16, 2), ("F16", ScalarType.Float16, 2),
        ("I64", ScalarType.Int64, 8), ("I32", ScalarType.Int32, 4), ("I16", ScalarType.Int16, 2), ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    public static string KnownNames => string.Join(", ", _known.Select(dtype => dtype.Name));

    public static ScalarType? Parse(string name)
    {
        foreach (var dtype in _known)
            if (dtype.Name == name) return dtype.Type;
        return null;
    }

    public static string NameOf(ScalarType type) => Find(type).Name;

    public static int Size(ScalarType type) => Find(type).Size;

    public static bool IsFloatingPoint(ScalarType type) =>
        type is ScalarType.Float64 or ScalarType.Float32 or ScalarType.BFloat16 or ScalarType.Float16;

    /// <summary>Floating-point numbers in the file's bytes as float32.</summary>
    public static void ToFloats(ScalarType type, ReadOnlySpan<byte> bytes, Span<float> numbers)
    {
        switch (type)
        {
            case ScalarType.Float32:
                MemoryMarshal.Cast<byte, float>(bytes).CopyTo(numbers);
                break;
            case ScalarType.Float16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(bytes), numbers);
                break;
            case ScalarType.BFloat16:
                var bits = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (int i = 0; i < bits.Length; i++) numbers[i] = BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
                break;
            case ScalarType.Float64:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, double>(bytes), numbers);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "not a floating-point dtype");
        }
    }

    private static (string Name, ScalarType Type, int Size) Find(ScalarType type)
    {
        foreach (var dtype in _known)
            if (dtype.Type == type) return dtype;
        throw new R1Exception($"SafeTensors has no dtype for {type}; it holds {KnownNames}.");
    }
}
