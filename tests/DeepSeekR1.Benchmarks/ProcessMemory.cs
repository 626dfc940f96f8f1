using System.Globalization;

namespace DeepSeekR1.Benchmarks;

/// <summary>Resident memory of this process (Linux), in bytes.</summary>
internal static class ProcessMemory
{
    /// <summary>Now.</summary>
    public static long Resident => Read("VmRSS:");

    /// <summary>The most since the last <see cref="ForgetPeak"/>.</summary>
    public static long Peak => Read("VmHWM:");

    /// <summary>Sets the peak to what is resident now.</summary>
    public static void ForgetPeak() => File.WriteAllText("/proc/self/clear_refs", "5");

    private static long Read(string name) =>
        1024 * long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(name, StringComparison.Ordinal)).Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
