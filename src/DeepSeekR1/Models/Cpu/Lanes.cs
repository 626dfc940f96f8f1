using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using DeepSeekR1.Vectors;

namespace DeepSeekR1.Models.Cpu;

/// <summary>A number in a tensor's memory that is computed with in float32, sixteen at a time.</summary>
internal unsafe interface ILane<TSelf> where TSelf : unmanaged, ILane<TSelf>
{
    static abstract Vector512<float> Load(TSelf* source);
    static abstract void Store(Vector512<float> value, TSelf* destination);
}

/// <summary>float32.</summary>
[StructLayout(LayoutKind.Sequential, Size = sizeof(float))]
internal readonly unsafe struct SingleLane : ILane<SingleLane>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(SingleLane* source) => Vector512.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, SingleLane* destination) => value.Store((float*)destination);
}

/// <summary>bfloat16, the upper half of a float32.</summary>
[StructLayout(LayoutKind.Sequential, Size = sizeof(ushort))]
internal readonly unsafe struct Bfloat16Lane : ILane<Bfloat16Lane>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(Bfloat16Lane* source)
    {
        var halves = Vector256.Load((ushort*)source);
        if (Avx512F.IsSupported) return (Avx512F.ConvertToVector512UInt32(halves) << 16).AsSingle();
        var (lower, upper) = Vector256.Widen(halves);
        return (Vector512.Create(lower, upper) << 16).AsSingle();
    }

    /// <summary>As <see cref="Round"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, Bfloat16Lane* destination)
    {
        var rounded = Round(value);
        var halves = Avx512F.IsSupported ? Avx512F.ConvertToVector256UInt16(rounded) : Vector256.Narrow(rounded.GetLower(), rounded.GetUpper());
        halves.Store((ushort*)destination);
    }

    /// <summary>To the nearest, ties to even, in the lower half of each word; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Round(Vector512<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = (bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & Vector512<uint>.One)) >> 16;
        return Vector512.ConditionalSelect(Vector512.Equals(value, value).AsUInt32(), rounded, Vector512.Create(0x7FC0u));
    }
}

/// <summary>What vectors of a row have in common.</summary>
internal static unsafe class Lanes
{
    public const int Width = 16;

    /// <summary>Up to a multiple of the width.</summary>
    public static int Padded(int count) => (count + Width - 1) / Width * Width;

    /// <summary>The first <paramref name="count"/> lanes, at most sixteen; the others are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load<T>(T* source, int count) where T : unmanaged, ILane<T> => count >= Width ? T.Load(source) : LoadPart(source, count);

    /// <summary>Writes the first <paramref name="count"/> lanes, at most sixteen.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(Vector512<float> value, T* destination, int count) where T : unmanaged, ILane<T>
    {
        if (count >= Width) T.Store(value, destination);
        else StorePart(value, destination, count);
    }

    /// <inheritdoc cref="VectorMath{TSimd, TVector}.Exp"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x) => VectorMath<Simd512, Vector512<float>>.Exp(x);

    /// <summary>The largest lane; NaN where one is.</summary>
    public static float Max(Vector512<float> value)
    {
        float max = float.NegativeInfinity;
        for (int lane = 0; lane < Width; lane++) max = MathF.Max(max, value[lane]);
        return max;
    }

    /// <summary>The lanes whose places, from <paramref name="place"/> on, are in [first, end); another value in the others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Inside(Vector512<float> value, int place, int first, int end, Vector512<float> outside)
    {
        var places = Vector512.CreateSequence(0, 1) + Vector512.Create(place);
        var isInside = Vector512.GreaterThanOrEqual(places, Vector512.Create(first)) & Vector512.LessThan(places, Vector512.Create(end));
        return Vector512.ConditionalSelect(isInside.AsSingle(), value, outside);
    }

    private static Vector512<float> LoadPart<T>(T* source, int count) where T : unmanaged, ILane<T>
    {
        T* whole = stackalloc T[Width];
        for (int i = 0; i < count; i++) whole[i] = source[i];
        return T.Load(whole);
    }

    private static void StorePart<T>(Vector512<float> value, T* destination, int count) where T : unmanaged, ILane<T>
    {
        T* whole = stackalloc T[Width];
        T.Store(value, whole);
        for (int i = 0; i < count; i++) destination[i] = whole[i];
    }
}
