using System.Globalization;
using System.Text;
using DeepSeekR1.Configuration;
using DeepSeekR1.Stages;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Benchmarks.Recipes;

/// <summary>
/// The embedded recipe on several bases and seeds: <c>mini [--work DIR] [--report FILE] [--bases 1,2,3] [--seeds 1,2,3,4,5]</c>. Base 1 is the
/// one that ships and runs the whole recipe; others are pretrained with their own seed and run zero. Runs that are done are not run again.
/// Writes mean and range of every row, and how many runs keep each relation that the recipe promises.
/// </summary>
internal static class MiniBenchmark
{
    private static readonly string[] _columns = ["accuracy", "greedy", "consensus", "longer", "format", "language", "length", "harmless", "helpful", "seconds"];

    public static async Task RunAsync(string[] args)
    {
        string work = Option(args, "--work", Path.Combine("runs", "mini-benchmark"));
        int[] bases = Numbers(Option(args, "--bases", "1,2,3")), seeds = Numbers(Option(args, "--seeds", "1,2,3,4,5"));
        var report = new StringBuilder();
        foreach (int number in bases)
        {
            string? model = number == 1 ? null : await PretrainAsync(work, number);
            var runs = new List<MiniRun>();
            foreach (int seed in seeds) runs.Add(await RunAsync(Path.Combine(work, $"base{number}-seed{seed}"), number == 1 ? TrainStage.All : TrainStage.Zero, model, seed));
            Report(report, number, seeds, runs);
            MiniRelations.Report(report, runs);
        }
        string file = Option(args, "--report", Path.Combine(work, "mini-tables.md"));
        await File.WriteAllTextAsync(file, report.ToString());
        Console.WriteLine($"written: {file}");
    }

    private static async Task<string> PretrainAsync(string work, int seed)
    {
        string output = Path.Combine(work, $"base{seed}");
        await TrainAsync(new TrainRequest { Stage = TrainStage.Pretrain, Config = "mini-base", Seed = (ulong)seed, Output = output });
        return Path.Combine(output, "checkpoints", "pretrain", "model");
    }

    private static async Task<MiniRun> RunAsync(string output, TrainStage stage, string? model, int seed)
    {
        await TrainAsync(new TrainRequest { Stage = stage, Model = model, Seed = (ulong)seed, Output = output });
        using var folder = RunFolder.Resume(output);
        return new MiniRun([.. folder.Rows], folder.ReadMetrics());
    }

    private static async Task TrainAsync(TrainRequest request)
    {
        bool isBegun = File.Exists(Path.Combine(request.Output!, "config.json"));
        await TrainingRun.RunAsync(isBegun ? new TrainRequest { Stage = request.Stage, Output = request.Output, Resume = true } : request, SilentObserver.Instance);
        Console.WriteLine($"done: {request.Output}");
    }

    private static void Report(StringBuilder report, int number, int[] seeds, List<MiniRun> runs)
    {
        report.Append(CultureInfo.InvariantCulture, $"### Base {number}{(number == 1 ? " (the one that ships)" : "")}, seeds {string.Join(", ", seeds)}: mean (least – most)\n\n");
        report.Append("| | ").AppendJoin(" | ", _columns).Append(" |\n|---|").AppendJoin("|", _columns.Select(_ => "---:")).Append("|\n");
        foreach (string name in runs.SelectMany(run => run.Rows).Select(row => row.Name).Distinct())
        {
            var rows = runs.Select(run => run.Find(name)).OfType<ResultRow>().ToList();
            report.Append("| ").Append(name).Append(" | ").AppendJoin(" | ", _columns.Select(column => Cell(rows, column))).Append(" |\n");
        }
        report.Append('\n');
    }

    private static string Cell(List<ResultRow> rows, string column)
    {
        double[] values = [.. rows.Where(row => row.Values.ContainsKey(column)).Select(row => row.Values[column])];
        if (values.Length == 0) return "–";
        bool isShare = column is not ("length" or "seconds");
        string Show(double value) => (isShare ? value * 100 : value).ToString(isShare ? "0.0" : "0", CultureInfo.InvariantCulture);
        return $"{Show(values.Average())} ({Show(values.Min())} – {Show(values.Max())})";
    }

    private static string Option(string[] args, string name, string otherwise)
    {
        int at = Array.IndexOf(args, name);
        return at >= 0 && at + 1 < args.Length ? args[at + 1] : otherwise;
    }

    private static int[] Numbers(string list) => [.. list.Split(',').Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
}
