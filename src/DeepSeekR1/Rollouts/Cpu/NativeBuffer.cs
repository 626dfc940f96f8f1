using System.Runtime.InteropServices;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>
/// Zeroed memory outside the managed heap, aligned to a cache line. Its address is valid while the object is referenced. Large memory
/// lies on huge pages where Linux grants them: weights are read from end to end at each step, and every page crossed costs a look-up.
/// </summary>
internal sealed unsafe partial class NativeBuffer : IDisposable
{
    private const nuint CacheLine = 64, HugePage = 2 << 20;
    private const int AdviseHugePages = 14;

    private void* _pointer;

    public NativeBuffer(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        bool isLarge = OperatingSystem.IsLinux() && (nuint)bytes >= HugePage;
        _pointer = NativeMemory.AlignedAlloc((nuint)Math.Max(1, bytes), isLarge ? HugePage : CacheLine);
        // Only advice: memory is as good where it is refused.
        if (isLarge) _ = Advise(_pointer, (nuint)bytes, AdviseHugePages);
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

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint bytes, int advice);

    private void Free()
    {
        if (_pointer is null) return;
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
        GC.RemoveMemoryPressure(Math.Max(1, Bytes));
    }
}
