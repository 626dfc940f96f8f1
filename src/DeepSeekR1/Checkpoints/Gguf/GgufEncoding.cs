using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace DeepSeekR1.Checkpoints.Gguf;

/// <summary>Numbers as GGML stores them, byte for byte.</summary>
internal static class GgufEncoding
{
    /// <summary>Weights that share one scale in <see cref="GgufType.Q8"/>.</summary>
    public const int BlockSize = 32;

    private const int BlockBytes = BlockSize + 2;

    /// <summary>Bytes of so many numbers; whole blocks for <see cref="GgufType.Q8"/>.</summary>
    public static long BytesOf(GgufType type, long elements) => type switch
    {
        GgufType.F32 => 4 * elements,
        GgufType.F16 or GgufType.Bf16 => 2 * elements,
        _ => elements / BlockSize * BlockBytes,
    };

    /// <summary>The number that stands for the type in a tensor's description (<c>ggml_type</c>).</summary>
    public static uint TensorCode(GgufType type) => type switch { GgufType.F32 => 0, GgufType.F16 => 1, GgufType.Bf16 => 30, _ => 8 };

    /// <summary>The number that stands for a file of mostly that type (<c>llama_ftype</c>).</summary>
    public static uint FileCode(GgufType type) => type switch { GgufType.F32 => 0, GgufType.F16 => 1, GgufType.Bf16 => 32, _ => 7 };

    /// <summary>Writes a row of weights as bytes, of which there are <see cref="BytesOf"/>.</summary>
    public static void Encode(GgufType type, ReadOnlySpan<float> row, Span<byte> bytes)
    {
        switch (type)
        {
            case GgufType.F32:
                MemoryMarshal.AsBytes(row).CopyTo(bytes);
                break;
            case GgufType.F16:
                TensorPrimitives.ConvertToHalf(row, MemoryMarshal.Cast<byte, Half>(bytes));
                break;
            case GgufType.Bf16:
                EncodeBfloat16(row, MemoryMarshal.Cast<byte, ushort>(bytes));
                break;
            default:
                for (int block = 0; block < row.Length / BlockSize; block++)
                    EncodeBlock(row.Slice(block * BlockSize, BlockSize), bytes.Slice(block * BlockBytes, BlockBytes));
                break;
        }
    }

    /// <summary>Rounds to the nearest, ties to even.</summary>
    private static void EncodeBfloat16(ReadOnlySpan<float> row, Span<ushort> bits)
    {
        for (int i = 0; i < row.Length; i++)
        {
            uint value = BitConverter.SingleToUInt32Bits(row[i]);
            bits[i] = (ushort)((value + 0x7FFF + ((value >> 16) & 1)) >> 16);
        }
    }

    /// <summary>The scale brings the largest magnitude to 127; ties round away from zero, as C's round does.</summary>
    private static void EncodeBlock(ReadOnlySpan<float> weights, Span<byte> bytes)
    {
        float scale = MathF.Abs(TensorPrimitives.MaxMagnitude(weights)) / sbyte.MaxValue;
        float inverse = scale == 0 ? 0 : 1 / scale;
        BinaryPrimitives.WriteHalfLittleEndian(bytes, (Half)scale);
        for (int i = 0; i < BlockSize; i++) bytes[2 + i] = (byte)(sbyte)MathF.Round(weights[i] * inverse, MidpointRounding.AwayFromZero);
    }
}
