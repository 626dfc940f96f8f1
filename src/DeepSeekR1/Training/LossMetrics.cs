using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// Metrics gathered over the micro-batches of a step: sums, weighted means, extremes. Scalars stay on their device until
/// <see cref="Collect"/> reads those of a micro-batch at once.
/// </summary>
internal sealed class LossMetrics
{
    private enum Kind { Sum, Mean, Min, Max }

    private readonly List<(string Name, Kind Kind, Tensor Value, double Weight)> _pending = [];
    private readonly Dictionary<string, (Kind Kind, double Value, double Weight)> _totals = [];

    /// <summary>Adds a share of a total.</summary>
    public void Sum(string name, Tensor value) => _pending.Add((name, Kind.Sum, value, 1));

    /// <summary>Adds a sum over <paramref name="count"/> things to their mean.</summary>
    public void Mean(string name, Tensor sum, double count) => _pending.Add((name, Kind.Mean, sum, count));

    /// <summary>The smallest of all.</summary>
    public void Min(string name, Tensor value) => _pending.Add((name, Kind.Min, value, 1));

    /// <summary>The largest of all.</summary>
    public void Max(string name, Tensor value) => _pending.Add((name, Kind.Max, value, 1));

    /// <summary>Reads the scalars added since the last call. To be called while they are alive: once a micro-batch.</summary>
    public void Collect()
    {
        if (_pending.Count == 0) return;
        using (no_grad())
        using (NewDisposeScope())
        {
            double[] values = stack(_pending.Select(p => p.Value.detach().to(ScalarType.Float64)).ToArray()).cpu().data<double>().ToArray();
            foreach (var ((name, kind, _, weight), value) in _pending.Zip(values)) Add(name, kind, value, weight);
        }
        _pending.Clear();
    }

    /// <summary>The metrics by name; a mean over nothing is 0.</summary>
    public Dictionary<string, double> Results() => _totals.ToDictionary(
        total => total.Key,
        total => total.Value.Kind == Kind.Mean ? total.Value.Value / Math.Max(total.Value.Weight, 1) : total.Value.Value);

    private void Add(string name, Kind kind, double value, double weight)
    {
        if (!_totals.TryGetValue(name, out var total))
            _totals[name] = (kind, value, weight);
        else
            _totals[name] = kind switch
            {
                Kind.Min => (kind, Math.Min(total.Value, value), 1),
                Kind.Max => (kind, Math.Max(total.Value, value), 1),
                _ => (kind, total.Value + value, total.Weight + weight),
            };
    }
}
