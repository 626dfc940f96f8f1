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

/// <summary>The machine's share in a run: device, precision, threads.</summary>
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

    /// <summary>Same seed, same bytes. Always so on the CPU at a fixed number of threads; on CUDA it also turns TF32 off.</summary>
    [Description("Same seed, same bytes. Always so on the CPU; on CUDA it also turns TF32 off.")]
    public bool Deterministic { get; init; } = true;
}
