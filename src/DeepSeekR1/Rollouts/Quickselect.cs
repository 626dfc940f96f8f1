namespace DeepSeekR1.Rollouts;

/// <summary>Where a descending walk through weighted keys reaches a given mass.</summary>
/// <param name="Key">The key at which the mass is reached.</param>
/// <param name="MassAbove">Mass of all keys strictly greater.</param>
/// <param name="Mass">Mass of one such key; keys that are equal weigh the same.</param>
/// <param name="Ties">How many keys equal it.</param>
internal readonly record struct Cut(float Key, double MassAbove, float Mass, int Ties);

/// <summary>Weighted quickselect: finds a cut without sorting, in linear time on average. Deterministic.</summary>
internal static class Quickselect
{
    /// <summary>
    /// The largest key K for which the keys ≥ K together weigh at least <paramref name="target"/>; the smallest key when all together
    /// weigh less. Reorders both spans.
    /// </summary>
    /// <param name="keys">[n] what is ordered; n at least 1.</param>
    /// <param name="masses">[n] weight of each key, not negative.</param>
    /// <param name="target">The mass to reach, positive.</param>
    public static Cut Descend(Span<float> keys, Span<float> masses, double target)
    {
        double above = 0;
        while (true)
        {
            float pivot = MedianOfThree(keys[0], keys[keys.Length / 2], keys[^1]);
            var (greater, notLess) = Partition(keys, masses, pivot);
            double massGreater = Sum(masses[..greater]), massEqual = Sum(masses[greater..notLess]);
            if (greater > 0 && above + massGreater >= target)
            {
                keys = keys[..greater];
                masses = masses[..greater];
                continue;
            }
            above += massGreater;
            if (above + massEqual >= target || notLess == keys.Length) return new Cut(pivot, above, masses[greater], notLess - greater);
            above += massEqual;
            keys = keys[notLess..];
            masses = masses[notLess..];
        }
    }

    /// <summary>Three-way partition, descending: [0, greater) &gt; pivot, [greater, notLess) = pivot, the rest &lt; pivot.</summary>
    private static (int Greater, int NotLess) Partition(Span<float> keys, Span<float> masses, float pivot)
    {
        int greater = 0, next = 0, end = keys.Length;
        while (next < end)
        {
            float key = keys[next];
            if (key > pivot) Swap(keys, masses, greater++, next++);
            else if (key < pivot) Swap(keys, masses, next, --end);
            else next++;
        }
        return (greater, end);
    }

    private static void Swap(Span<float> keys, Span<float> masses, int a, int b)
    {
        (keys[a], keys[b]) = (keys[b], keys[a]);
        (masses[a], masses[b]) = (masses[b], masses[a]);
    }

    private static float MedianOfThree(float a, float b, float c) => MathF.Max(MathF.Min(a, b), MathF.Min(MathF.Max(a, b), c));

    private static double Sum(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values) sum += value;
        return sum;
    }
}
