using DeepSeekR1.Models;
using DeepSeekR1.Rollouts.Cpu;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Rollouts;

/// <summary>Chooses the decoder of a model.</summary>
public static class Decoders
{
    /// <summary>The fastest decoder that knows the model, within what <see cref="RuntimeConfig.Kernels"/> allows.</summary>
    /// <param name="model">The policy; stays the caller's to dispose, after the decoder.</param>
    /// <param name="runtime">Threads and kernels.</param>
    public static IDecoder For(CausalLM model, TorchRuntime runtime) =>
        runtime.Kernels == KernelChoice.Torch || !CpuDecoder.Supports(model)
            ? new TorchDecoder(model)
            : new CpuDecoder(model, runtime.Threads, runtime.Kernels == KernelChoice.Portable ? KernelWidth.Portable : KernelWidth.Auto);
}
