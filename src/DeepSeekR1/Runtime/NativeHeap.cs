using System.Runtime.InteropServices;

namespace DeepSeekR1.Runtime;

/// <summary>
/// Settings of the C library's heap, from which LibTorch takes its tensors. Left alone it returns large blocks to the system when they are
/// freed, and each step of training pays for their pages again: on Linux about a quarter of its time.
/// </summary>
internal static partial class NativeHeap
{
    // Of glibc's malloc.h.
    private const int TrimThreshold = -1, TopPadding = -2, MmapThreshold = -3, MaxArenas = -8;

    private const int GrowthBytes = 64 << 20;

    /// <summary>Memory that was freed is kept for the next step. Changes nothing where the C library is not glibc.</summary>
    public static void KeepFreedMemory()
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            // One arena for all threads: others could not hold a block of more than 64 MiB.
            _ = Set(MaxArenas, 1);
            _ = Set(MmapThreshold, int.MaxValue);
            _ = Set(TrimThreshold, -1);
            _ = Set(TopPadding, GrowthBytes);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library, whose heap has no such settings.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int Set(int parameter, int value);
}
