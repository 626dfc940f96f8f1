using System.Runtime.InteropServices;

namespace DeepSeekR1.Runtime;

/// <summary>What is to be known where memory runs out.</summary>
internal static class OutOfMemory
{
    /// <summary>True for what LibTorch (on CPU and CUDA) and .NET throw when memory runs out.</summary>
    public static bool IsCauseOf(Exception failure) => failure is OutOfMemoryException ||
        (failure is ExternalException && (failure.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase) || failure.Message.Contains("can't allocate memory", StringComparison.Ordinal)
            || failure.Message.Contains("not enough memory", StringComparison.Ordinal)));

    /// <summary>Frees what the failed work left to the garbage collector.</summary>
    public static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
