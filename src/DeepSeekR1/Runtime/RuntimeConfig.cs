using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeepSeekR1.Runtime;

/// <summary>Where tensors live.</summary>
public enum DeviceChoice
{
    /// <summary>CUDA when there is one, else the CPU.</summary>
    Auto,
    /// <summary>The CPU.</summary>
    Cpu,
    /// <summary>The first CUDA device.</summary>
    Cuda,
}

/// <summary>What numbers the model computes with.</summary>
public enum DtypeChoice
{
    /// <summary>bfloat16 where the hardware multiplies it faster and the model is large enough to gain, else float32.</summary>
    Auto,
    /// <summary>32-bit floating point.</summary>
    Float32,
    /// <summary>bfloat16 weights and activations; the optimizer keeps float32 masters.</summary>
    Bfloat16,
}

/// <summary>What computes rollouts.</summary>
public enum KernelChoice
{
    /// <summary>Kernels of the processor's widest vectors on the CPU, LibTorch on other devices and for models the kernels do not know.</summary>
    Auto,
    /// <summary>As <see cref="Auto"/>, with vectors that every processor has.</summary>
    Portable,
    /// <summary>LibTorch.</summary>
    Torch,
}

/// <summary>The machine's share in a run: device, precision, threads, kernels.</summary>
public sealed record RuntimeConfig
{
    /// <summary>Where tensors live.</summary>
    [Description("Where tensors live.")]
    public DeviceChoice Device { get; init; } = DeviceChoice.Auto;

    /// <summary>What numbers the model computes with.</summary>
    [Description("What numbers the model computes with.")]
    public DtypeChoice Dtype { get; init; } = DtypeChoice.Auto;

    /// <summary>CPU threads; 0 takes one a physical core.</summary>
    [Description("CPU threads; 0 takes all cores."), Range(0, 1024)]
    public int Threads { get; init; }

    /// <summary>What computes rollouts.</summary>
    [Description("What computes rollouts: this library's kernels of the widest vectors (auto) or of 128 bits (portable), or LibTorch (torch).")]
    public KernelChoice Kernels { get; init; } = KernelChoice.Auto;

    /// <summary>Same seed, same bytes: always so on the CPU, whatever the threads (docs/training.md says where not). On CUDA it turns TF32 off.</summary>
    [Description("Same seed, same bytes: always so on the CPU, whatever the threads. On CUDA it turns TF32 off.")]
    public bool Deterministic { get; init; } = true;
}
