using System.Runtime.InteropServices;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>Zeroed memory outside the managed heap, aligned to a cache line. Its address is valid while the object is referenced.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private const nuint CacheLine = 64;

    private void* _pointer;

    public NativeBuffer(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        _pointer = NativeMemory.AlignedAlloc((nuint)Math.Max(1, bytes), CacheLine);
        NativeMemory.Clear(_pointer, (nuint)bytes);
        GC.AddMemoryPressure(Math.Max(1, bytes));
    }

    ~NativeBuffer() => Free();

    public long Bytes { get; }

    public byte* Pointer => (byte*)_pointer;

    public float* Floats => (float*)_pointer;

    public static NativeBuffer OfFloats(long count) => new(checked(count * sizeof(float)));

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_pointer is null) return;
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
        GC.RemoveMemoryPressure(Math.Max(1, Bytes));
    }
}
