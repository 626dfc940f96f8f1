using System.Runtime.CompilerServices;

namespace DeepSeekR1.Vectors;

/// <summary>Functions that the vector types lack or compute in double precision.</summary>
internal static class VectorMath<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : unmanaged
{
    private const float Lowest = -87.33654f, Highest = 88.02f;

    /// <summary>
    /// e^x with a relative error of at most 2e-7: x = n ln 2 + r, e^x = 2^n e^r, and e^r by its Taylor polynomial of degree 7 on
    /// |r| &lt;= ln 2 / 2. Exactly 0 where the result would be denormal, about 1.7e38 above the largest representable argument; NaN stays NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Exp(TVector x)
    {
        // Of two numbers one of which is NaN, x86 takes the second.
        var clamped = TSimd.Min(TSimd.Create(Highest), TSimd.Max(TSimd.Create(Lowest), x));
        var n = TSimd.Round(TSimd.Multiply(clamped, TSimd.Create(1.44269504f)));
        // ln 2 in two parts, the first with trailing zeros, so that n * high is exact.
        var r = TSimd.FusedMultiplyAdd(n, TSimd.Create(-0.693359375f), clamped);
        r = TSimd.FusedMultiplyAdd(n, TSimd.Create(2.12194440e-4f), r);
        var polynomial = TSimd.Create(1 / 5040f);
        polynomial = TSimd.FusedMultiplyAdd(polynomial, r, TSimd.Create(1 / 720f));
        polynomial = TSimd.FusedMultiplyAdd(polynomial, r, TSimd.Create(1 / 120f));
        polynomial = TSimd.FusedMultiplyAdd(polynomial, r, TSimd.Create(1 / 24f));
        polynomial = TSimd.FusedMultiplyAdd(polynomial, r, TSimd.Create(1 / 6f));
        polynomial = TSimd.FusedMultiplyAdd(polynomial, r, TSimd.Create(0.5f));
        polynomial = TSimd.FusedMultiplyAdd(polynomial, r, TSimd.Create(1));
        polynomial = TSimd.FusedMultiplyAdd(polynomial, r, TSimd.Create(1));
        return TSimd.ZeroWhereLess(x, TSimd.Create(Lowest), TSimd.Multiply(polynomial, TSimd.PowerOfTwo(n)));
    }
}
