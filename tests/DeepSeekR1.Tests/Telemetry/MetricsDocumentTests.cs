using System.Text.RegularExpressions;
using DeepSeekR1.Configuration;
using DeepSeekR1.Telemetry;
using DeepSeekR1.Testing;
using DeepSeekR1.Tests.Stages;

namespace DeepSeekR1.Tests.Telemetry;

/// <summary>docs/metrics.md explains every number that a run writes: meaning, healthy range, what to do.</summary>
public partial class MetricsDocumentTests
{
    [Fact]
    public async Task Every_metric_of_every_stage_is_explained()
    {
        using MiniRun run = new(), other = new();
        await run.TrainAsync(TrainStage.All, overrides: ["zero.grpo.loss.beta=0.01", "zero.grpo.miniBatches=2"], cancellationToken: TestContext.Current.CancellationToken);
        await other.TrainAsync(TrainStage.Pretrain, config: "mini-base", cancellationToken: TestContext.Current.CancellationToken);
        string[] written = [.. new[] { run, other }.SelectMany(MetricsOf).Distinct().Order(StringComparer.Ordinal)];
        Assert.InRange(written.Length, 40, 200);
        Assert.Equal([], written.Where(metric => !Documented().Any(name => name.IsMatch(metric))));
    }

    [Fact]
    public void Every_row_says_what_it_means_what_is_healthy_and_what_to_do() =>
        Assert.All(Rows(), cells => Assert.All(cells, cell => Assert.NotEqual("", cell)));

    private static IEnumerable<string> MetricsOf(MiniRun run)
    {
        using var folder = RunFolder.Resume(run.Output);
        return [.. folder.ReadMetrics().SelectMany(step => step.Values.Keys)];
    }

    /// <summary>The names in the first column; NAME stands for any reward.</summary>
    private static Regex[] Documented() =>
        [.. Rows().SelectMany(cells => QuotedName().Matches(cells[0])).Select(name => new Regex($"^{Regex.Escape(name.Groups[1].Value).Replace("NAME", "[^/]+", StringComparison.Ordinal)}$"))];

    private static string[][] Rows() =>
    [
        .. File.ReadLines(Reference.Repository("docs", "metrics.md")).Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Trim('|', ' ').Split(" | ").Select(cell => cell.Trim()).ToArray()),
    ];

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex QuotedName();
}
