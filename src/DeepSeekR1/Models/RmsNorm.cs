using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>Root-mean-square norm (Zhang and Sennrich 2019).</summary>
internal sealed class RmsNorm(Parameter weight, double epsilon)
{
    /// <summary>[..., width] to the same.</summary>
    public Tensor Forward(Tensor x) => Kernels.RmsNorm(x, weight, epsilon);

    /// <summary>x + update, or x where there is none, and its norm.</summary>
    public (Tensor Stream, Tensor Normed) Forward(Tensor x, Tensor? update) => Kernels.ResidualNorm(x, update, weight, epsilon);
}
