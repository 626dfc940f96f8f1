using System.Globalization;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Cli.Rendering;

/// <summary>The few of a step's numbers that fit on a line; all of them are in metrics.jsonl.</summary>
internal static class Headline
{
    private static readonly (string Metric, string Label, bool IsShare)[] _shown =
    [
        ("eval_accuracy", "eval accuracy", true),
        ("reward", "reward", false),
        ("rewards/accuracy/mean", "accuracy", true),
        ("rewards/format/mean", "format", true),
        ("completions/mean_length", "length", false),
        ("loss", "loss", false),
        ("mean_token_accuracy", "token accuracy", true),
        ("kl", "kl", false),
    ];

    public static string Of(IReadOnlyDictionary<string, double> values) => string.Join("  ",
        _shown.Where(shown => values.ContainsKey(shown.Metric)).Select(shown => $"{shown.Label} {Number(values[shown.Metric], shown.IsShare)}"));

    public static string Of(Figure figure) =>
        Number(figure.Value, figure.IsShare) + (figure.StandardError is { } error ? $" ± {Number(error, figure.IsShare)}" : "");

    private static string Number(double value, bool isShare) =>
        isShare ? (value * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %"
        : value.ToString(Math.Abs(value) switch { 0 => "0", < 0.001 => "0.0e0", < 10 => "0.000", < 1000 => "0.0", _ => "0" }, CultureInfo.InvariantCulture);
}
