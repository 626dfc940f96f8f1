using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Runtime;

/// <summary>Every choice that depends on the device, made once: where tensors live, in what precision, on how many threads.</summary>
public sealed class TorchRuntime
{
    /// <summary>Below this width, converting to bfloat16 costs more than its matrix products save (measured on AVX512-BF16).</summary>
    private const int SmallestHiddenSizeForBfloat16 = 256;

    private readonly DtypeChoice _dtype;

    private TorchRuntime(Device device, int threads, RuntimeConfig config) => (Device, Threads, _dtype, Kernels) = (device, threads, config.Dtype, config.Kernels);

    /// <summary>Where tensors live.</summary>
    public Device Device { get; }

    /// <summary>CPU threads that one operation uses.</summary>
    public int Threads { get; }

    /// <summary>What computes rollouts.</summary>
    public KernelChoice Kernels { get; }

    /// <summary>True on the CPU, where tensor memory can be read in place.</summary>
    public bool IsCpu => Device.type == DeviceType.CPU;

    /// <summary>Loads LibTorch and applies the configuration.</summary>
    /// <exception cref="R1Exception">LibTorch cannot be loaded, or CUDA was asked for and there is none.</exception>
    public static TorchRuntime Create(RuntimeConfig? config = null)
    {
        config ??= new RuntimeConfig();
        NativeHeap.KeepFreedMemory();
        LoadLibTorch();
        bool hasCuda = config.Device != DeviceChoice.Cpu && cuda.is_available();
        if (config.Device == DeviceChoice.Cuda && !hasCuda)
            throw new R1Exception("runtime.device is 'cuda', but LibTorch sees no CUDA device. Build with -p:TorchBackend=cuda-linux (or cuda-windows) " +
                "on a machine with an NVIDIA driver, or set runtime.device to 'cpu'.");
        int threads = config.Threads > 0 ? config.Threads : Environment.ProcessorCount;
        set_num_threads(threads);
        if (hasCuda) backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = !config.Deterministic;
        return new TorchRuntime(hasCuda ? CUDA : CPU, threads, config);
    }

    /// <summary>LibTorch's thread count belongs to the calling thread: call this first on each thread that computes.</summary>
    public void BindThread() => set_num_threads(Threads);

    /// <summary>The precision for a model of this hidden size.</summary>
    public ScalarType DtypeFor(int hiddenSize) => _dtype switch
    {
        DtypeChoice.Float32 => ScalarType.Float32,
        DtypeChoice.Bfloat16 => ScalarType.BFloat16,
        _ => (!IsCpu || CpuHasBfloat16) && hiddenSize >= SmallestHiddenSizeForBfloat16 ? ScalarType.BFloat16 : ScalarType.Float32,
    };

    /// <summary>True where the CPU multiplies bfloat16 natively (AVX512-BF16: CPUID leaf 7, subleaf 1, EAX bit 5).</summary>
    public static bool CpuHasBfloat16 { get; } = X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;

    private static void LoadLibTorch()
    {
        try
        {
            InitializeDeviceType(DeviceType.CPU);
        }
        catch (Exception failure) when (failure is TypeInitializationException or NotSupportedException or DllNotFoundException or BadImageFormatException)
        {
            throw new R1Exception(ExplainLoadFailure(failure), failure);
        }
    }

    private static string ExplainLoadFailure(Exception failure)
    {
        string text = failure.ToString();
        string remedy =
            text.Contains("GLIBCXX", StringComparison.Ordinal) ? "the C++ runtime is older than it asks for; build with the targets file of the DeepSeekR1 package, or install libstdc++ of GCC 13.2 or newer" :
            text.Contains("libgomp", StringComparison.Ordinal) ? "the OpenMP runtime is missing; install libgomp1" :
            !Environment.Is64BitProcess ? "the process is 32-bit; LibTorch needs 64-bit" :
            "reference TorchSharp-cpu, or build with -p:TorchBackend=cuda-linux, for this platform";
        return $"LibTorch does not load on {RuntimeInformation.OSDescription.Trim()} ({RuntimeInformation.RuntimeIdentifier}): {remedy}.";
    }
}
