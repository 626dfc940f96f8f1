using System.Runtime.InteropServices;

namespace DeepSeekR1.Models.Cpu;

/// <summary>Memory for a moment, aligned to a cache line, handed out piece by piece. A thread keeps the block that it used last, if it is not large.</summary>
internal unsafe ref struct Scratch
{
    private const int CacheLine = 64;
    private const long LargestKept = 8 << 20;

    [ThreadStatic]
    private static Block? _kept;

    private readonly Block _block;
    private long _taken;

    /// <param name="floats">How many in all.</param>
    public Scratch(long floats)
    {
        long bytes = floats * sizeof(float);
        if (_kept is { } kept && kept.Bytes >= bytes) _block = kept;
        else
        {
            _kept?.Dispose();
            _block = new Block(bytes);
        }
        _kept = null;
    }

    /// <summary>The next so many; a multiple of the vectors' width keeps the next piece aligned.</summary>
    public float* Take(long floats)
    {
        float* piece = _block.Memory + _taken;
        _taken += floats;
        return piece;
    }

    /// <summary>As <see cref="Take"/>, for so many numbers of 16 bits.</summary>
    public ushort* TakeHalves(long count) => (ushort*)Take(count / 2);

    /// <summary>As <see cref="Take"/>, for so many numbers of 16 bits, two in a word.</summary>
    public uint* TakePairs(long count) => (uint*)Take(count / 2);

    /// <summary>The same as <see cref="Take"/>, set to zero.</summary>
    public float* TakeZeros(long floats)
    {
        float* piece = Take(floats);
        NativeMemory.Clear(piece, (nuint)floats * sizeof(float));
        return piece;
    }

    public readonly void Dispose()
    {
        if (_kept is null && _block.Bytes <= LargestKept) _kept = _block;
        else _block.Dispose();
    }

    /// <summary>Freed by its finalizer where its thread ends.</summary>
    private sealed class Block(long bytes) : IDisposable
    {
        public long Bytes => bytes;

        public float* Memory { get; } = (float*)NativeMemory.AlignedAlloc((nuint)Math.Max(CacheLine, bytes), CacheLine);

        ~Block() => NativeMemory.AlignedFree(Memory);

        public void Dispose()
        {
            NativeMemory.AlignedFree(Memory);
            GC.SuppressFinalize(this);
        }
    }
}
