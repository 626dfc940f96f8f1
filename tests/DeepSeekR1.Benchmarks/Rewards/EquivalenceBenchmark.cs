using System.Diagnostics;
using System.Text.Json;
using DeepSeekR1.Rewards;

namespace DeepSeekR1.Benchmarks.Rewards;

/// <summary>
/// How fast answers are compared, on one core: the golden pairs of known truth, each kind of them, and their median. The bars are 20,000 pairs
/// a second and 50 µs.
/// </summary>
internal static class EquivalenceBenchmark
{
    private const int WarmUps = 30;
    private const int Repeats = 5;

    private static readonly MathEquivalence _math = new();

    public static void Run(string[] args)
    {
        string path = args.Length > 0 ? args[0] : Path.Combine("..", "shared", "golden", "answers", "equivalence.jsonl");
        var pairs = File.ReadLines(path).Select(Read).ToList();
        for (int i = 0; i < WarmUps; i++) JudgeAll(pairs);

        double best = Enumerable.Range(0, Repeats).Min(_ => Seconds(() => JudgeAll(pairs)));
        var times = pairs.ConvertAll(pair => (pair.Kind, Microseconds: Enumerable.Range(0, Repeats).Min(_ => Seconds(() => _math.AreEquivalent(pair.Gold, pair.Answer))) * 1e6));
        Bar.AtLeast($"judging {pairs.Count} pairs", pairs.Count / best, 20_000, "pairs/s");
        Bar.AtMost("median pair", times.Select(time => time.Microseconds).Order().ElementAt(times.Count / 2), 50, "µs");
        foreach (var kind in times.GroupBy(time => time.Kind).OrderByDescending(kind => kind.Average(time => time.Microseconds)))
            Console.WriteLine($"  {kind.Key,-16} mean {kind.Average(time => time.Microseconds),7:F1} µs, slowest {kind.Max(time => time.Microseconds),7:F1} µs");
    }

    private static (string Kind, string Gold, string Answer) Read(string line)
    {
        var row = JsonSerializer.Deserialize<JsonElement>(line);
        string Field(string name) => row.GetProperty(name).GetString()!;
        return (Field("kind"), Field("gold"), Field("answer"));
    }

    private static void JudgeAll(List<(string Kind, string Gold, string Answer)> pairs)
    {
        foreach (var (_, gold, answer) in pairs) _math.AreEquivalent(gold, answer);
    }

    private static double Seconds(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
