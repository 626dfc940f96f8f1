using System.Globalization;
using System.Text;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Benchmarks.Recipes;

/// <summary>A finished run of the embedded recipe.</summary>
internal sealed record MiniRun(IReadOnlyList<ResultRow> Rows, IReadOnlyList<StepMetrics> Metrics)
{
    public ResultRow? Find(string row) => Rows.FirstOrDefault(candidate => candidate.Name == row);

    /// <summary>A figure; not a number where the run has none.</summary>
    public double this[string row, string column] => Find(row)?.Values.GetValueOrDefault(column, double.NaN) ?? double.NaN;

    /// <summary>The last validation accuracy of a stage, minus its best.</summary>
    public double LastMinusBest(string stage)
    {
        double[] accuracies = [.. Metrics.Where(step => step.Stage == stage && step.Values.ContainsKey("eval_accuracy")).Select(step => step.Values["eval_accuracy"])];
        return accuracies.Length == 0 ? double.NaN : accuracies[^1] - accuracies.Max();
    }
}

/// <summary>What the recipe promises of its stages, one relation a line.</summary>
internal static class MiniRelations
{
    private static readonly (string Text, string Row, Func<MiniRun, bool> Holds)[] _relations =
    [
        ("zero: accuracy at least base + 40 points", "zero", run => run["zero", "accuracy"] >= run["base", "accuracy"] + 0.4),
        ("zero: format at least 95 %", "zero", run => run["zero", "format"] >= 0.95),
        ("zero: at least 1.3 times as long as base", "zero", run => run["zero", "length"] >= 1.3 * run["base", "length"]),
        ("zero: at most 150 s", "zero", run => run["zero", "seconds"] <= 150),
        ("zero: last validation at least best - 5 points", "zero", run => run.LastMinusBest("zero") >= -0.05),
        ("zero above the base that is forced to think", "zero", run => run["zero", "accuracy"] > run["base-think", "accuracy"]),
        ("dev1: accuracy between 50 and 90 %", "dev1", run => run["dev1", "accuracy"] is >= 0.5 and <= 0.9),
        ("zero mixes languages more than dev2", "dev2", run => run["zero", "language"] < run["dev2", "language"]),
        ("dev2: accuracy at least dev1 + 5 points", "dev2", run => run["dev2", "accuracy"] >= run["dev1", "accuracy"] + 0.05),
        ("dev2: language at least 95 %", "dev2", run => run["dev2", "language"] >= 0.95),
        ("dev2-no-language: less of the prompt's language than dev2", "dev2-no-language", run => run["dev2-no-language", "language"] < run["dev2", "language"]),
        ("dev3: accuracy at least dev1's", "dev3", run => run["dev3", "accuracy"] >= run["dev1", "accuracy"]),
        ("dev3: more helpful than dev2", "dev3", run => run["dev3", "helpful"] > run["dev2", "helpful"]),
        ("r1: harmless at least 95 %, or dev3 + 20 points", "r1", run => run["r1", "harmless"] >= 0.95 || run["r1", "harmless"] >= run["dev3", "harmless"] + 0.2),
        ("r1: more helpful than dev3", "r1", run => run["r1", "helpful"] > run["dev3", "helpful"]),
        ("r1: accuracy at least dev3 - 2 points", "r1", run => run["r1", "accuracy"] >= run["dev3", "accuracy"] - 0.02),
        ("distilled: more accurate than student-rl", "distilled", run => run["distilled", "accuracy"] > run["student-rl", "accuracy"]),
        ("helpful reward model: at least 90 % of held-out pairs", "r1", run => HeldOut(run, "reward-model-helpful") >= 0.9),
        ("safety reward model: at least 90 % of held-out replies", "r1", run => HeldOut(run, "reward-model-safety") >= 0.9),
    ];

    /// <summary>How many of the runs keep each relation; those whose rows the runs do not have are left out.</summary>
    public static void Report(StringBuilder report, IReadOnlyList<MiniRun> runs)
    {
        report.Append("| relation | runs that keep it |\n|---|---:|\n");
        foreach (var (text, row, holds) in _relations)
        {
            var having = runs.Where(run => run.Find(row) is not null).ToList();
            if (having.Count > 0) report.Append(CultureInfo.InvariantCulture, $"| {text} | {having.Count(holds)} of {having.Count} |\n");
        }
        report.Append('\n');
    }

    private static double HeldOut(MiniRun run, string stage) => run.Metrics.LastOrDefault(step => step.Stage == stage)?.Values.GetValueOrDefault("eval_heldout_accuracy") ?? double.NaN;
}
