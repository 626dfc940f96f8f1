using System.Runtime.InteropServices;

namespace DeepSeekR1.Models.Cpu;

/// <summary>Memory for a moment, aligned to a cache line, handed out piece by piece.</summary>
internal unsafe ref struct Scratch
{
    private const int CacheLine = 64;

    private readonly float* _memory;
    private long _taken;

    /// <param name="floats">How many in all.</param>
    public Scratch(long floats)
    {
        nuint bytes = (nuint)Math.Max(CacheLine, floats * sizeof(float));
        _memory = (float*)NativeMemory.AlignedAlloc(bytes, CacheLine);
    }

    /// <summary>The next so many; a multiple of the vectors' width keeps the next piece aligned.</summary>
    public float* Take(long floats)
    {
        float* piece = _memory + _taken;
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

    public readonly void Dispose() => NativeMemory.AlignedFree(_memory);
}
