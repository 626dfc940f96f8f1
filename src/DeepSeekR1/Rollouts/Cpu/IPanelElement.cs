using System.Runtime.CompilerServices;
using DeepSeekR1.Vectors;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>
/// How the numbers of a panel are stored. A panel holds as many columns of the right-hand matrix as a vector has lanes, two rows of
/// the inner dimension at a time.
/// </summary>
internal unsafe interface IPanelElement<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : unmanaged
{
    /// <summary>Bytes of two consecutive inner rows of one panel.</summary>
    static abstract int PairBytes { get; }

    static abstract void LoadPair(byte* source, out TVector even, out TVector odd);
}

/// <summary>float32: the even row, then the odd row.</summary>
internal readonly unsafe struct Float32Element<TSimd, TVector> : IPanelElement<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : unmanaged
{
    public static int PairBytes => 2 * TSimd.Width * sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair(byte* source, out TVector even, out TVector odd)
    {
        even = TSimd.Load((float*)source);
        odd = TSimd.Load((float*)source + TSimd.Width);
    }
}

/// <summary>bfloat16: the two rows interleaved, so that one load and two bit operations widen both.</summary>
internal readonly unsafe struct Bfloat16Element<TSimd, TVector> : IPanelElement<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : unmanaged
{
    public static int PairBytes => TSimd.Width * sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair(byte* source, out TVector even, out TVector odd) =>
        TSimd.LoadBfloat16Pairs((uint*)source, out even, out odd);
}
