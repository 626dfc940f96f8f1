namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>
/// Intermediate results [rows, width], float32; room grows with the largest pass. Rows are whole pairs of the widest panels long, and what
/// lies between a row's end and the next row is zero.
/// </summary>
internal sealed unsafe class RowBuffer(int width) : IDisposable
{
    private const int Multiple = 32;

    private readonly int _stride = (width + Multiple - 1) / Multiple * Multiple;
    private NativeBuffer _memory = NativeBuffer.OfFloats(0);

    public float* this[int row] => _memory.Floats + (nint)row * _stride;

    /// <summary>Rows from one to before another.</summary>
    public Rows this[int first, int end] => new((nint)this[first], _stride, end - first);

    /// <summary>Makes room; the first rows that are to be kept are, the others are lost when there was too little.</summary>
    public void Reserve(int rows, int kept = 0)
    {
        long floats = (long)rows * _stride;
        if (_memory.Bytes >= floats * sizeof(float)) return;
        var old = _memory;
        _memory = NativeBuffer.OfFloats(floats);
        long bytes = (long)kept * _stride * sizeof(float);
        Buffer.MemoryCopy(old.Floats, _memory.Floats, bytes, bytes);
        old.Dispose();
    }

    public void Dispose() => _memory.Dispose();
}
