using System.Runtime.Intrinsics;
using DeepSeekR1.Vectors;

namespace DeepSeekR1.Tests.Vectors;

public class VectorMathTests
{
    [Fact]
    public void Exponentials_keep_their_bound_at_every_width()
    {
        float[] x = [.. Enumerable.Range(-870, 1751).Select(i => i / 10f), -87.3f, 0, 1e-30f, float.NaN, float.NegativeInfinity, -88, -1000, float.PositiveInfinity];
        AssertExp(x, Exp<Simd128, Vector128<float>>);
        AssertExp(x, Exp<Simd256, Vector256<float>>);
        AssertExp(x, Exp<Simd512, Vector512<float>>);
    }

    private static void AssertExp(float[] x, Func<float, float> exp)
    {
        foreach (float value in x)
        {
            float actual = exp(value);
            if (float.IsNaN(value)) Assert.True(float.IsNaN(actual));
            else if (value < -87.33654f) Assert.Equal(0, actual);
            else if (value > 88.02f) Assert.InRange(actual, 1.6e38f, 1.8e38f);
            else Assert.InRange(actual / Math.Exp(value), 1 - 2e-7, 1 + 2e-7);
        }
    }

    private static float Exp<TSimd, TVector>(float x) where TSimd : struct, ISimd<TVector> where TVector : unmanaged =>
        TSimd.MaxLane(VectorMath<TSimd, TVector>.Exp(TSimd.Create(x)));
}
