using System.Runtime.Intrinsics;

namespace DeepSeekR1.Vectors;

/// <summary>Sixteen lanes: AVX-512.</summary>
internal readonly unsafe struct Simd512 : ISimd<Vector512<float>>
{
    public static int Width => 16;

    public static int Registers => 32;

    public static Vector512<float> Create(float value) => Vector512.Create(value);

    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    public static void Store(Vector512<float> value, float* destination) => value.Store(destination);

    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

    public static Vector512<float> Subtract(Vector512<float> a, Vector512<float> b) => a - b;

    public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => a * b;

    public static Vector512<float> Divide(Vector512<float> a, Vector512<float> b) => a / b;

    public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) => Vector512.MaxNative(a, b);

    public static Vector512<float> Min(Vector512<float> a, Vector512<float> b) => Vector512.MinNative(a, b);

    public static Vector512<float> FusedMultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.FusedMultiplyAdd(a, b, c);

    public static Vector512<float> ZeroWhereLess(Vector512<float> a, Vector512<float> b, Vector512<float> value) =>
        Vector512.AndNot(value, Vector512.LessThan(a, b));

    public static Vector512<float> Round(Vector512<float> value) => Vector512.Round(value);

    public static Vector512<float> PowerOfTwo(Vector512<float> exponent) =>
        ((Vector512.ConvertToInt32Native(exponent) + Vector512.Create(127)) << 23).AsSingle();

    public static float Sum(Vector512<float> value) => Vector512.Sum(value);

    public static float MaxLane(Vector512<float> value) =>
        Simd256.MaxLane(Vector256.MaxNative(value.GetLower(), value.GetUpper()));

    public static void LoadBfloat16Pairs(uint* source, out Vector512<float> even, out Vector512<float> odd)
    {
        var pairs = Vector512.Load(source);
        even = (pairs << 16).AsSingle();
        odd = (pairs & Vector512.Create(0xFFFF0000u)).AsSingle();
    }
}
