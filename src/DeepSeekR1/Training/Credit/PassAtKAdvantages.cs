namespace DeepSeekR1.Training;

/// <summary>
/// Advantages that pay a group for its best of k samples instead of for each (Pass@k Training, arXiv 2508.10751): exploring pays as long as one of
/// k finds the answer. Analytical: the mean over all subsets of k members, of which none is drawn.
/// </summary>
public static class PassAtKAdvantages
{
    /// <summary>
    /// (mean of the best over subsets with the completion - mean over all subsets) / deviation over all subsets. With scores 0 and 1 this is
    /// the paper's equation 14 and 15. A null score has advantage 0 and is in no subset.
    /// </summary>
    /// <param name="scores">[completion] group after group.</param>
    /// <param name="groupSizes">[group] their sum is the number of scores.</param>
    /// <param name="k">Members of a subset; a group with fewer scores than that has advantages 0.</param>
    public static double[] Of(ReadOnlySpan<double?> scores, ReadOnlySpan<int> groupSizes, int k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        var advantages = new double[scores.Length];
        int start = 0;
        foreach (int size in groupSizes)
        {
            OfGroup(scores.Slice(start, size), k, advantages.AsSpan(start, size));
            start += size;
        }
        return advantages;
    }

    private static void OfGroup(ReadOnlySpan<double?> scores, int k, Span<double> advantages)
    {
        double[] known = [.. scores.ToArray().OfType<double>().Order()];
        if (known.Length < k) return;
        var (mean, square) = Best(known, k, double.NegativeInfinity);
        double deviation = Math.Sqrt(Math.Max(0, square - mean * mean));
        if (deviation == 0) return;
        for (int i = 0; i < scores.Length; i++)
        {
            if (scores[i] is not { } own) continue;
            List<double> others = [.. known];
            others.Remove(own);
            advantages[i] = (Best(others, k - 1, own).Mean - mean) / deviation;
        }
    }

    /// <summary>Mean, and mean square, of the larger of a floor and the best of k members, over all subsets of k.</summary>
    private static (double Mean, double Square) Best(IReadOnlyList<double> ascending, int k, double floor)
    {
        if (k == 0) return (floor, floor * floor);
        double mean = 0, square = 0, share = Share(ascending.Count, k);
        for (int place = ascending.Count - 1; place >= k - 1; place--)
        {
            double best = Math.Max(ascending[place], floor);
            (mean, square) = (mean + share * best, square + share * best * best);
            // Of the subsets of k, C(place, k - 1) have their best here; the next lower place has (place - k + 1) / place times as many.
            if (place > 0) share *= (double)(place - k + 1) / place;
        }
        return (mean, square);
    }

    /// <summary>C(n - 1, k - 1) / C(n, k): the subsets whose best is the best of all.</summary>
    private static double Share(int n, int k) => (double)k / n;
}
