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

    /// <summary>The first lanes, 1 to 15 of them, where the processor masks what it reads (<see cref="Avx512BW.VL"/>); the others are 0.</summary>
    static abstract Vector512<float> LoadMasked(TSelf* source, int count);

    /// <summary>Writes the first lanes, 1 to 15 of them, where the processor masks what it writes.</summary>
    static abstract void StoreMasked(Vector512<float> value, TSelf* destination, int count);
}

/// <summary>float32.</summary>
[StructLayout(LayoutKind.Sequential, Size = sizeof(float))]
internal readonly unsafe struct SingleLane : ILane<SingleLane>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(SingleLane* source) => Vector512.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, SingleLane* destination) => value.Store((float*)destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadMasked(SingleLane* source, int count) => Avx512F.MaskLoad((float*)source, Mask(count), Vector512<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMasked(Vector512<float> value, SingleLane* destination, int count) => Avx512F.MaskStore((float*)destination, Mask(count), value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Mask(int count) => Vector512.LessThan(Vector512.CreateSequence(0, 1), Vector512.Create(count)).AsSingle();
}

/// <summary>bfloat16, the upper half of a float32.</summary>
[StructLayout(LayoutKind.Sequential, Size = sizeof(ushort))]
internal readonly unsafe struct Bfloat16Lane : ILane<Bfloat16Lane>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(Bfloat16Lane* source) => Widen(Vector256.Load((ushort*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, Bfloat16Lane* destination) => Bfloat16.Narrow(Bfloat16.Round(value)).Store((ushort*)destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadMasked(Bfloat16Lane* source, int count) => Widen(Avx512BW.VL.MaskLoad((ushort*)source, Mask(count), Vector256<ushort>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMasked(Vector512<float> value, Bfloat16Lane* destination, int count) => Avx512BW.VL.MaskStore((ushort*)destination, Mask(count), Bfloat16.Narrow(Bfloat16.Round(value)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Widen(Vector256<ushort> halves)
    {
        if (Avx512F.IsSupported) return (Avx512F.ConvertToVector512UInt32(halves) << 16).AsSingle();
        var (lower, upper) = Vector256.Widen(halves);
        return (Vector512.Create(lower, upper) << 16).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> Mask(int count) => Vector256.LessThan(Vector256.CreateSequence((ushort)0, (ushort)1), Vector256.Create((ushort)count));
}

/// <summary>What vectors of a row have in common.</summary>
internal static unsafe class Lanes
{
    public const int Width = 16;

    /// <summary>Up to a multiple of the width.</summary>
    public static int Padded(int count) => (count + Width - 1) / Width * Width;

    /// <summary>The first <paramref name="count"/> lanes, at most sixteen; the others are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load<T>(T* source, int count) where T : unmanaged, ILane<T>
    {
        if (count >= Width) return T.Load(source);
        // A call here would make every loop around it keep its vectors in memory.
        return Avx512BW.VL.IsSupported ? T.LoadMasked(source, count) : LoadPart(source, count);
    }

    /// <summary>Writes the first <paramref name="count"/> lanes, at most sixteen.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(Vector512<float> value, T* destination, int count) where T : unmanaged, ILane<T>
    {
        if (count >= Width) T.Store(value, destination);
        else if (Avx512BW.VL.IsSupported) T.StoreMasked(value, destination, count);
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
