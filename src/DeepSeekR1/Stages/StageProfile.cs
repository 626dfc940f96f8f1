using System.Globalization;

namespace DeepSeekR1.Stages;

/// <summary>Where the time of a stage's steps went, by phase.</summary>
internal sealed class StageProfile
{
    private readonly OrderedDictionary<string, double> _seconds = [];
    private int _steps;

    /// <summary>Takes up one step.</summary>
    /// <param name="seconds">By phase, in the order of the step.</param>
    public void Add(IReadOnlyDictionary<string, double> seconds)
    {
        _steps++;
        foreach (var (phase, value) in seconds) _seconds[phase] = _seconds.GetValueOrDefault(phase) + value;
    }

    /// <summary>The lines of a table: seconds of each phase, all steps together, and its share.</summary>
    public IEnumerable<string> Table(string stage)
    {
        double total = _seconds.Values.Sum();
        yield return string.Create(CultureInfo.InvariantCulture, $"{stage}: {_steps} steps, {total:F2} s");
        foreach (var (phase, seconds) in _seconds)
            yield return string.Create(CultureInfo.InvariantCulture, $"  {phase,-10} {seconds,9:F2} s {100 * seconds / Math.Max(total, double.Epsilon),6:F1} %");
    }
}
