using System.Diagnostics;

namespace DeepSeekR1.Benchmarks.Rollouts;

/// <summary>Times of repeated runs.</summary>
internal static class Measure
{
    /// <summary>Seconds of the median of so many runs of each action. The actions take turns, so that a busy machine slows all alike.</summary>
    public static double[] Medians(int runs, params Func<double>[] actions)
    {
        var times = actions.Select(_ => new List<double>()).ToArray();
        for (int run = 0; run < runs; run++)
            for (int i = 0; i < actions.Length; i++) times[i].Add(actions[i]());
        return [.. times.Select(Median)];
    }

    public static double Seconds(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
