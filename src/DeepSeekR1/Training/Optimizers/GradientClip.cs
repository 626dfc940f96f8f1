namespace DeepSeekR1.Training;

/// <summary>Clipping by the norm of the whole gradient.</summary>
internal static class GradientClip
{
    /// <summary>What torch adds to the norm before dividing.</summary>
    private const double NormEpsilon = 1e-6;

    /// <summary>What the gradient is to be divided by so that its norm is at most <paramref name="maxNorm"/> (0: any).</summary>
    public static double Divisor(double norm, double maxNorm) => maxNorm > 0 ? Math.Max(1, (norm + NormEpsilon) / maxNorm) : 1;
}
