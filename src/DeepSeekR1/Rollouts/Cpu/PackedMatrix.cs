using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>
/// Weights of one or several projections of the same input, as the right-hand side of a product: packed into panels from the tensors
/// that training updates.
/// </summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    private readonly Linear[] _sources;
    private readonly int[] _rowsOfSource;
    private readonly bool _isInterleaved;
    private readonly int _width;
    private readonly NativeBuffer? _bias;

    private PackedMatrix(Linear[] sources, bool isInterleaved, PanelType type, int width)
    {
        (_sources, _isInterleaved, _width) = (sources, isInterleaved, width);
        Inner = (int)sources[0].BaseWeight.shape[1];
        _rowsOfSource = [.. sources.Select(source => (int)source.BaseWeight.shape[0])];
        int columns = isInterleaved ? sources.Length * Panel.Count(_rowsOfSource[0], width) * width : _rowsOfSource.Sum();
        PanelCount = Panel.Count(columns, 2 * width) * 2;
        nint stride = (nint)(Inner + 1) / 2 * Panel.PairBytes(type, width);
        _bias = sources.Any(source => source.Bias is not null) ? NativeBuffer.OfFloats((long)PanelCount * width) : null;
        Panels = new Panels(0, stride, Inner, columns, type, Together: 2);
    }

    /// <summary>Inputs.</summary>
    public int Inner { get; }

    public int PanelCount { get; }

    public Panels Panels { get; private set; }

    /// <summary>Bytes of all panels.</summary>
    public long Bytes => (long)Panels.Stride * PanelCount;

    /// <summary>One number a column, or zero where there is none.</summary>
    public nint Bias => (nint)(_bias is null ? null : _bias.Pointer);

    /// <summary>Outputs of the projections one after the other.</summary>
    public static PackedMatrix Stack(PanelType type, int width, params Linear[] projections) =>
        new(projections, isInterleaved: false, type, width);

    /// <summary>A panel of the first projection, a panel of the second, and so on; each projection padded to whole panels.</summary>
    public static PackedMatrix Interleave(PanelType type, int width, params Linear[] projections) =>
        new(projections, isInterleaved: true, type, width);

    /// <summary>Says where the panels are to be: <see cref="Bytes"/> of memory, aligned to a cache line.</summary>
    public void Place(byte* memory) => Panels = Panels with { Data = (nint)memory };

    /// <summary>Copies the panels from the tensors, with what an adapter adds to them.</summary>
    public void Pack()
    {
        using var scope = NewDisposeScope();
        nint* rows = stackalloc nint[_width];
        var weights = new TensorMemory[_sources.Length];
        var biases = new TensorMemory?[_sources.Length];
        for (int i = 0; i < _sources.Length; i++)
        {
            weights[i] = TensorMemory.Of(_sources[i].MergedWeight());
            biases[i] = _sources[i].Bias is { } bias ? TensorMemory.Of(bias) : null;
        }
        int pairBytes = Panel.PairBytes(Panels.Type, _width);
        for (int panel = 0; panel < PanelCount; panel++)
        {
            for (int lane = 0; lane < _width; lane++)
            {
                var (source, row) = Locate(panel, lane);
                rows[lane] = source < 0 ? 0 : weights[source].Row(row, Inner);
                if (_bias is not null) _bias.Floats[panel * _width + lane] = source < 0 || biases[source] is not { } bias ? 0 : bias[row];
            }
            Panel.Pack(rows, Inner, Panels.Type, _width, Panels[panel, pairBytes], Panels.Step(pairBytes));
        }
    }

    public void Dispose() => _bias?.Dispose();

    /// <summary>Which row of which tensor a column comes from; source -1 for padding.</summary>
    private (int Source, int Row) Locate(int panel, int lane)
    {
        if (_isInterleaved)
        {
            int source = panel % _sources.Length, row = panel / _sources.Length * _width + lane;
            return row < _rowsOfSource[source] ? (source, row) : (-1, 0);
        }
        int column = panel * _width + lane;
        for (int source = 0; source < _rowsOfSource.Length; source++)
        {
            if (column < _rowsOfSource[source]) return (source, column);
            column -= _rowsOfSource[source];
        }
        return (-1, 0);
    }
}
