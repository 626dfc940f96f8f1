using static TorchSharp.torch;

namespace DeepSeekR1.Models.Cpu;

/// <summary><see cref="LogitKernel{T}"/> on tensors; autograd does not see it.</summary>
internal static unsafe class LogitFunctions
{
    /// <summary>
    /// Of contiguous logits [token, vocabulary]: the log-probability of each target, the entropy, whether no other id is more likely; and
    /// [token, 2] for <see cref="Gradient"/>.
    /// </summary>
    public static (Tensor LogProbs, Tensor Entropies, Tensor IsMostLikely, Tensor Normalizers) Score(Tensor logits, Tensor targets, double temperature)
    {
        var (logProbs, entropies, isMostLikely) = (empty(targets.shape[0]), empty(targets.shape[0]), empty(targets.shape[0], dtype: ScalarType.Bool));
        var normalizers = empty(targets.shape[0], 2);
        if (logits.dtype == ScalarType.BFloat16) Score<Bfloat16Lane>();
        else Score<SingleLane>();
        return (logProbs, entropies, isMostLikely, normalizers);

        void Score<T>() where T : unmanaged, ILane<T> => LogitKernel<T>.Score(
            CpuTensors.Pointer<T>(logits), CpuTensors.Pointer<long>(targets), (int)logits.shape[0], (int)logits.shape[1], (float)temperature,
            CpuTensors.Pointer<float>(logProbs), CpuTensors.Pointer<float>(entropies), CpuTensors.Pointer<bool>(isMostLikely), CpuTensors.Pointer<float>(normalizers));
    }

    /// <summary>Overwrites the logits with their gradient.</summary>
    public static void Gradient(Tensor logits, Tensor targets, double temperature, Tensor logProbs, Tensor entropies, Tensor normalizers, Tensor dLogProbs, Tensor? dEntropies)
    {
        using var scope = NewDisposeScope();
        var (pull, entropyPull) = (dLogProbs.to(ScalarType.Float32).contiguous(), dEntropies?.to(ScalarType.Float32).contiguous());
        if (logits.dtype == ScalarType.BFloat16) Gradient<Bfloat16Lane>();
        else Gradient<SingleLane>();

        void Gradient<T>() where T : unmanaged, ILane<T> => LogitKernel<T>.Gradient(
            CpuTensors.Pointer<T>(logits), CpuTensors.Pointer<long>(targets), (int)logits.shape[0], (int)logits.shape[1], (float)temperature,
            CpuTensors.Pointer<float>(logProbs), CpuTensors.Pointer<float>(entropies), CpuTensors.Pointer<float>(normalizers), CpuTensors.Pointer<float>(pull), entropyPull is null ? null : CpuTensors.Pointer<float>(entropyPull));
    }
}
