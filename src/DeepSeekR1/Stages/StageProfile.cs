using System.Globalization;

namespace DeepSeekR1.Stages;

/// <summary>Where the time of a stage's steps went, by phase and by operation.</summary>
internal sealed class StageProfile
{
    private const string Sampling = "sampling";

    private readonly OrderedDictionary<string, double> _phases = [], _operations = [];
    private int _steps;

    /// <summary>Takes up one step.</summary>
    /// <param name="phases">Seconds by phase, in the order of the step.</param>
    /// <param name="operations">Seconds by operation, whatever phase they belong to; null where they are not known.</param>
    public void Add(IReadOnlyDictionary<string, double> phases, IReadOnlyDictionary<string, double>? operations = null)
    {
        _steps++;
        Add(phases, _phases);
        if (operations is not null) Add(operations, _operations);
    }

    /// <summary>The lines of a table: seconds of all steps together and their share, of each phase, and of the operations that a step should consist of.</summary>
    public IEnumerable<string> Table(string stage)
    {
        double total = _phases.Values.Sum();
        yield return string.Create(CultureInfo.InvariantCulture, $"{stage}: {_steps} steps, {total:F2} s");
        foreach (var (phase, seconds) in _phases) yield return Line(phase, seconds);
        if (_operations.Count == 0) yield break;
        var parts = new OrderedDictionary<string, double>(_operations);
        if (_phases.TryGetValue(Sampling, out double sampling)) parts[Sampling] = sampling;
        yield return "by operation:";
        foreach (var (operation, seconds) in parts) yield return Line(operation, seconds);
        yield return Line("together", parts.Values.Sum());

        string Line(string name, double seconds) =>
            string.Create(CultureInfo.InvariantCulture, $"  {name,-10} {seconds,9:F2} s {100 * seconds / Math.Max(total, double.Epsilon),6:F1} %");
    }

    private static void Add(IReadOnlyDictionary<string, double> seconds, OrderedDictionary<string, double> sums)
    {
        foreach (var (name, value) in seconds) sums[name] = sums.GetValueOrDefault(name) + value;
    }
}
