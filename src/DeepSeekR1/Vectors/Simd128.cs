using System.Runtime.Intrinsics;

namespace DeepSeekR1.Vectors;

/// <summary>Four lanes: every processor .NET runs on, NEON included. Fused multiply-add only where the hardware has it.</summary>
internal readonly unsafe struct Simd128 : ISimd<Vector128<float>>
{
    public static int Width => 4;

    public static int Registers => 16;

    public static Vector128<float> Create(float value) => Vector128.Create(value);

    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    public static void Store(Vector128<float> value, float* destination) => value.Store(destination);

    public static Vector128<float> Add(Vector128<float> a, Vector128<float> b) => a + b;

    public static Vector128<float> Subtract(Vector128<float> a, Vector128<float> b) => a - b;

    public static Vector128<float> Multiply(Vector128<float> a, Vector128<float> b) => a * b;

    public static Vector128<float> Divide(Vector128<float> a, Vector128<float> b) => a / b;

    public static Vector128<float> Max(Vector128<float> a, Vector128<float> b) => Vector128.MaxNative(a, b);

    public static Vector128<float> Min(Vector128<float> a, Vector128<float> b) => Vector128.MinNative(a, b);

    public static Vector128<float> FusedMultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) => Vector128.MultiplyAddEstimate(a, b, c);

    public static Vector128<float> ZeroWhereLess(Vector128<float> a, Vector128<float> b, Vector128<float> value) =>
        Vector128.AndNot(value, Vector128.LessThan(a, b));

    public static Vector128<float> Round(Vector128<float> value) => Vector128.Round(value);

    public static Vector128<float> PowerOfTwo(Vector128<float> exponent) =>
        ((Vector128.ConvertToInt32Native(exponent) + Vector128.Create(127)) << 23).AsSingle();

    public static float Sum(Vector128<float> value) => Vector128.Sum(value);

    public static float MaxLane(Vector128<float> value) =>
        Math.Max(Math.Max(value[0], value[1]), Math.Max(value[2], value[3]));

    public static void LoadBfloat16Pairs(uint* source, out Vector128<float> even, out Vector128<float> odd)
    {
        var pairs = Vector128.Load(source);
        even = (pairs << 16).AsSingle();
        odd = (pairs & Vector128.Create(0xFFFF0000u)).AsSingle();
    }
}
