using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeepSeekR1.Vectors;

/// <summary>Conversions of bfloat16, the upper half of a float32.</summary>
internal static unsafe class Bfloat16
{
    /// <summary>To the nearest, ties to even; NaN stays NaN.</summary>
    public static ushort FromSingle(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if ((bits & 0x7FFFFFFF) > 0x7F800000) return (ushort)((bits >> 16) | 0x40);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    public static float ToSingle(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

    /// <summary>Rounds many as <see cref="FromSingle"/> does, the NaN of arithmetic included; each lands in the upper half of its word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Round(float* source, uint* target, int count)
    {
        var (half, one) = (new Vector<uint>(0x7FFF), Vector<uint>.One);
        int i = 0;
        for (; i + Vector<uint>.Count <= count; i += Vector<uint>.Count)
        {
            var bits = Vector.Load((uint*)source + i);
            Vector.Store(bits + half + (Vector.ShiftRightLogical(bits, 16) & one), target + i);
        }
        for (; i < count; i++) target[i] = (uint)FromSingle(source[i]) << 16;
    }
}
