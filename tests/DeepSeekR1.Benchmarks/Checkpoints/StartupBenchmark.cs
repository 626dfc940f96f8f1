using System.Diagnostics;
using System.Globalization;
using DeepSeekR1.Benchmarks.Rollouts;

namespace DeepSeekR1.Benchmarks.Checkpoints;

/// <summary>Seconds from the start of the built command to its first token, and to the first step of the embedded recipe; medians.</summary>
internal static class StartupBenchmark
{
    private const double MostToToken = 1.5, MostToStep = 3;

    public static void Run(string[] args)
    {
        string program = Options.Text(args, "--r1") ?? Path.Combine("src", "DeepSeekR1.Cli", "bin", "Release", "net10.0", "linux-x64", "r1");
        if (!File.Exists(program)) throw new R1Exception($"{program} does not exist; build the command, or name it by --r1.");
        string model = Options.Text(args, "--model") ?? Path.Combine("..", "shared", "models", "smollm2-135m-instruct");
        string text = Options.Text(args, "--runs") ?? "5";
        if (!int.TryParse(text, CultureInfo.InvariantCulture, out int runs) || runs <= 0) throw new R1Exception($"--runs needs a whole number from 1; found '{text}'.");
        var work = Directory.CreateTempSubdirectory("startup");
        try
        {
            double token = Median(runs, _ => UntilFirst(program, ["sample", "--model", model, "Why is the sky blue?"], HasCharacter));
            Bar.AtMost("first token after process start", token, MostToToken, "s");
            // Lines are printed every few seconds, so that of a single step is the first.
            double step = Median(runs, run => UntilFirst(program, ["train", "--stage", "zero", "--set", "zero.grpo.steps=1", "--output", Path.Combine(work.FullName, $"{run}")], HasStep));
            Bar.AtMost("first training step after process start", step, MostToStep, "s");
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    /// <summary>The first run brings the files into the page cache.</summary>
    private static double Median(int runs, Func<int, double> measure) => Measure.Median([.. Enumerable.Range(0, 1 + runs).Select(measure).Skip(1)]);

    private static bool HasCharacter(StreamReader output) => output.Read() >= 0;

    private static bool HasStep(StreamReader output)
    {
        while (output.ReadLine() is { } line)
            if (line.StartsWith("zero ", StringComparison.Ordinal) && char.IsAsciiDigit(line["zero ".Length])) return true;
        return false;
    }

    private static double UntilFirst(string program, string[] arguments, Func<StreamReader, bool> isThere)
    {
        long start = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        bool came = isThere(process.StandardOutput);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        process.Kill();
        process.WaitForExit();
        return came ? seconds : throw new R1Exception($"{program} {string.Join(' ', arguments)} ended before it printed what is waited for.");
    }
}
