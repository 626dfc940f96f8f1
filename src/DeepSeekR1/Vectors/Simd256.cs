using System.Runtime.Intrinsics;

namespace DeepSeekR1.Vectors;

/// <summary>Eight lanes: AVX2 with FMA.</summary>
internal readonly unsafe struct Simd256 : ISimd<Vector256<float>>
{
    public static int Width => 8;

    public static int Registers => 16;

    public static Vector256<float> Create(float value) => Vector256.Create(value);

    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    public static void Store(Vector256<float> value, float* destination) => value.Store(destination);

    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    public static Vector256<float> Subtract(Vector256<float> a, Vector256<float> b) => a - b;

    public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;

    public static Vector256<float> Divide(Vector256<float> a, Vector256<float> b) => a / b;

    public static Vector256<float> Max(Vector256<float> a, Vector256<float> b) => Vector256.MaxNative(a, b);

    public static Vector256<float> Min(Vector256<float> a, Vector256<float> b) => Vector256.MinNative(a, b);

    public static Vector256<float> FusedMultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.FusedMultiplyAdd(a, b, c);

    public static Vector256<float> ZeroWhereLess(Vector256<float> a, Vector256<float> b, Vector256<float> value) =>
        Vector256.AndNot(value, Vector256.LessThan(a, b));

    public static Vector256<float> Round(Vector256<float> value) => Vector256.Round(value);

    public static Vector256<float> PowerOfTwo(Vector256<float> exponent) =>
        ((Vector256.ConvertToInt32Native(exponent) + Vector256.Create(127)) << 23).AsSingle();

    public static float Sum(Vector256<float> value) => Vector256.Sum(value);

    public static float MaxLane(Vector256<float> value) =>
        Simd128.MaxLane(Vector128.MaxNative(value.GetLower(), value.GetUpper()));

    public static void LoadBfloat16Pairs(uint* source, out Vector256<float> even, out Vector256<float> odd)
    {
        var pairs = Vector256.Load(source);
        even = (pairs << 16).AsSingle();
        odd = (pairs & Vector256.Create(0xFFFF0000u)).AsSingle();
    }
}
