using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace DeepSeekR1.Runtime;

/// <summary>
/// Small products of bfloat16 by the processor's own instructions, which .NET does not offer: oneDNN's brgemm, which LibTorch exports. It
/// makes a kernel for each shape at its first use and runs on the calling thread. Sums are float32.
/// </summary>
internal static unsafe partial class NativeProduct
{
    private const string Library = "torch_cpu";
    private const string MultiplyName = "_ZN2at6native7cpublas6brgemmEllllllbPKN3c108BFloat16ES5_Pfb";
    private const string ReleaseName = "_ZN2at6native7cpublas14brgemm_releaseEb";

    /// <summary>True where the processor multiplies bfloat16 and LibTorch is one that exports the product.</summary>
    public static bool IsSupported { get; } = Avx512F.IsSupported && TorchRuntime.CpuHasBfloat16 && OperatingSystem.IsLinux() && IsExported();

    /// <summary>c[m, n] = (add ? c : 0) + a[m, k] b[k, n].</summary>
    /// <param name="m">Rows of a and c.</param>
    /// <param name="n">Columns of b and c.</param>
    /// <param name="k">Columns of a, rows of b; even.</param>
    /// <param name="strideA">Numbers from one row of a to the next.</param>
    /// <param name="strideB">Pairs from two rows of b to the next two.</param>
    /// <param name="strideC">Numbers from one row of c to the next.</param>
    /// <param name="add">Adds to c instead of replacing it.</param>
    /// <param name="a">[m, k] bfloat16.</param>
    /// <param name="b">[k / 2, n] pairs of bfloat16: row 2i in the lower half of a word, row 2i + 1 in the upper.</param>
    /// <param name="c">[m, n] float32.</param>
    public static void Multiply(int m, int n, int k, nint strideA, nint strideB, nint strideC, bool add, ushort* a, uint* b, float* c) =>
        Multiply(m, n, k, strideA, strideB, strideC, add, a, b, c, isPaired: true);

    /// <summary>Gives the processor's matrix registers back, where it has such; after the last of several products.</summary>
    public static void Release() => Release(isPaired: true);

    private static bool IsExported()
    {
        torch.InitializeDeviceType(DeviceType.CPU);
        return NativeLibrary.TryLoad(Library, typeof(NativeProduct).Assembly, null, out nint library)
            && NativeLibrary.TryGetExport(library, MultiplyName, out _) && NativeLibrary.TryGetExport(library, ReleaseName, out _);
    }

    [LibraryImport(Library, EntryPoint = MultiplyName)]
    private static partial void Multiply(
        long m, long n, long k, long strideA, long strideB, long strideC, [MarshalAs(UnmanagedType.U1)] bool add, ushort* a, uint* b, float* c, [MarshalAs(UnmanagedType.U1)] bool isPaired);

    [LibraryImport(Library, EntryPoint = ReleaseName)]
    private static partial void Release([MarshalAs(UnmanagedType.U1)] bool isPaired);
}
