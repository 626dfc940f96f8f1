using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>What an adapter adds to one projection: scale * B * A, with A [rank, inputs] and B [outputs, rank].</summary>
/// <remarks>The scale is an object of LibTorch's and is held here, lest it be collected during a product.</remarks>
internal sealed record LoraDelta(Parameter A, Parameter B, Scalar Scale)
{
    /// <summary>[..., inputs] to [..., outputs], never making the full matrix.</summary>
    public Tensor Forward(Tensor x)
    {
        // A small rank is padded, so that the products repeat themselves bit for bit (see StableRows).
        if (A.shape[0] >= Kernels.StableRows) return nn.functional.linear(nn.functional.linear(x, A), B) * Scale;
        return nn.functional.linear(nn.functional.linear(x, Kernels.PadRows(A)), Kernels.PadRows(B.t()).t()) * Scale;
    }

    /// <summary>[outputs, inputs].</summary>
    public Tensor Matrix() => B.mm(A) * Scale;
}
