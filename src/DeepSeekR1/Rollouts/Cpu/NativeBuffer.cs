using System.Runtime.InteropServices;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>
/// Zeroed memory outside the managed heap, aligned to a cache line. Its address is valid while the object is referenced. Large memory
/// comes from Linux itself, which zeroes it page by page as it is first touched, by whichever thread does; and on huge pages where that is
/// asked for and granted: weights are read from end to end at each step, and every page crossed costs a look-up.
/// </summary>
internal sealed unsafe partial class NativeBuffer : IDisposable
{
    private const nuint CacheLine = 64, HugePage = 2 << 20;
    private const int AdviseHugePages = 14;

    private const int ReadAndWrite = 3, PrivateAndAnonymous = 0x22;

    private void* _pointer;
    private void* _mapped;

    /// <param name="bytes">How many.</param>
    /// <param name="onHugePages">Asks for huge pages. To make one the kernel may have to move others first, which takes a second where memory is full of files.</param>
    /// <exception cref="R1Exception">The memory is not to be had.</exception>
    public NativeBuffer(long bytes, bool onHugePages = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        if (OperatingSystem.IsLinux() && (nuint)bytes >= HugePage) Map((nuint)bytes, onHugePages);
        else
        {
            _pointer = NativeMemory.AlignedAlloc((nuint)Math.Max(1, bytes), CacheLine);
            NativeMemory.Clear(_pointer, (nuint)bytes);
        }
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

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* MapMemory(void* address, nuint bytes, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int UnmapMemory(void* address, nuint bytes);

    /// <summary>Takes a huge page more than is needed, so that the beginning can be aligned to one.</summary>
    private void Map(nuint bytes, bool onHugePages)
    {
        _mapped = MapMemory(null, bytes + HugePage, ReadAndWrite, PrivateAndAnonymous, file: -1, offset: 0);
        if ((nint)_mapped == -1)
        {
            _mapped = null;
            throw new R1Exception($"There is no memory for {bytes >> 20} MiB of weights or cache: lower limits.maxSequences or limits.maxCacheMebibytes, or take a smaller model.");
        }
        _pointer = (void*)(((nuint)_mapped + HugePage - 1) & ~(HugePage - 1));
        // Only advice: memory is as good where it is refused.
        if (onHugePages) _ = Advise(_pointer, bytes, AdviseHugePages);
    }

    private void Free()
    {
        if (_pointer is null) return;
        if (_mapped is null) NativeMemory.AlignedFree(_pointer);
        else _ = UnmapMemory(_mapped, (nuint)Bytes + HugePage);
        _pointer = _mapped = null;
        GC.RemoveMemoryPressure(Math.Max(1, Bytes));
    }
}
