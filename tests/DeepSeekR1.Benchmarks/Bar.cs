using System.Globalization;

namespace DeepSeekR1.Benchmarks;

/// <summary>What a measured number must keep: printed beside it, and a benchmark that misses one ends with exit code 1.</summary>
internal static class Bar
{
    /// <summary>True when a bar was missed in this process.</summary>
    public static bool IsMissed { get; private set; }

    public static void AtMost(string what, double measured, double bar, string unit) => Tell(what, measured, "≤", bar, unit, measured <= bar);

    public static void AtLeast(string what, double measured, double bar, string unit) => Tell(what, measured, "≥", bar, unit, measured >= bar);

    private static void Tell(string what, double measured, string relation, double bar, string unit, bool isKept)
    {
        IsMissed |= !isKept;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(isKept ? "kept  " : "MISSED")} {what}: {measured:#,0.##} {unit} (bar {relation} {bar:#,0.##})"));
    }
}
