namespace DeepSeekR1.Evaluation;

/// <summary>The chance that at least one of k samples is right.</summary>
public static class PassAtK
{
    /// <summary>
    /// Unbiased estimate from n samples of which c are right: 1 − C(n−c, k) / C(n, k), as a product that neither overflows nor
    /// cancels (Chen et al., "Evaluating Large Language Models Trained on Code", 2021, eq. 1).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Not 1 ≤ k ≤ n, or not 0 ≤ c ≤ n.</exception>
    public static double Estimate(int samples, int correct, int k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(k, samples);
        ArgumentOutOfRangeException.ThrowIfNegative(correct);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(correct, samples);
        int wrong = samples - correct;
        if (wrong < k) return 1;
        double allWrong = 1;
        for (int i = wrong + 1; i <= samples; i++) allWrong *= 1 - (double)k / i;
        return 1 - allWrong;
    }
}
