namespace DeepSeekR1.Training;

/// <summary>
/// The entropy that the tokens of a step must reach to feel the objective: only the "forking" tokens teach
/// ("Beyond the 80/20 Rule", arXiv 2506.01939 v2 eq. 6).
/// </summary>
internal static class EntropyThreshold
{
    /// <summary>The (1 - share) quantile, interpolated linearly; null where all tokens take part.</summary>
    public static double? Of(ReadOnlySpan<float> entropies, double share)
    {
        if (share >= 1 || entropies.Length == 0) return null;
        float[] sorted = entropies.ToArray();
        Array.Sort(sorted);
        float rank = (float)(1 - share) * (sorted.Length - 1);
        int below = (int)rank;
        float high = sorted[Math.Min(below + 1, sorted.Length - 1)];
        return sorted[below] + (rank - below) * (high - sorted[below]);
    }
}
