using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace DeepSeekR1.Models.Cpu;

/// <summary>What the functions of this room have in common.</summary>
internal static unsafe partial class CpuTensors
{
    /// <summary>Whether the kernels read such tensors: float32 or bfloat16 on the CPU, all of one kind.</summary>
    public static bool Take(params ReadOnlySpan<Tensor> tensors)
    {
        foreach (var tensor in tensors)
            if (tensor.device_type != TorchSharp.DeviceType.CPU || tensor.dtype is not (ScalarType.Float32 or ScalarType.BFloat16) || tensor.dtype != tensors[0].dtype) return false;
        return true;
    }

    /// <summary>Whether autograd is to record what is made of these tensors.</summary>
    public static bool Record(params ReadOnlySpan<Tensor> tensors)
    {
        if (!is_grad_enabled()) return false;
        foreach (var tensor in tensors)
            if (tensor.requires_grad) return true;
        return false;
    }

    /// <summary>The first number of a tensor; valid while the tensor lives.</summary>
    public static nint Address(Tensor tensor) => Data(tensor.Handle);

    /// <inheritdoc cref="Address"/>
    public static T* Pointer<T>(Tensor tensor) where T : unmanaged => (T*)Address(tensor);

    [LibraryImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    private static partial nint Data(nint tensor);
}
