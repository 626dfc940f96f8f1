using static TorchSharp.torch;

namespace DeepSeekR1.Models.Cpu;

/// <summary>Rows of heads in a tensor [batch, heads, sequence, width], read in place; the tokens of all rows of the batch are one sequence.</summary>
/// <param name="Data">The first number.</param>
/// <param name="TokenStride">Numbers from one token to the next.</param>
/// <param name="HeadStride">Numbers from one head to the next.</param>
/// <param name="Heads">How many heads.</param>
/// <param name="Width">Numbers of one row.</param>
internal readonly unsafe record struct HeadRows(nint Data, nint TokenStride, nint HeadStride, int Heads, int Width)
{
    /// <summary>The rows of a tensor that <see cref="Readable"/> returned.</summary>
    public static HeadRows Of(Tensor tensor) =>
        new(CpuTensors.Address(tensor), (nint)tensor.stride(2), (nint)tensor.stride(1), (int)tensor.shape[1], (int)tensor.shape[3]);

    /// <summary>The tensor itself where its rows can be read in place, otherwise a copy of it.</summary>
    public static Tensor Readable(Tensor tensor) =>
        tensor.stride(3) == 1 && (tensor.shape[0] == 1 || tensor.stride(0) == tensor.shape[2] * tensor.stride(2)) ? tensor : tensor.transpose(1, 2).contiguous().transpose(1, 2);

    /// <summary>A new tensor of this shape, in which the heads of a token lie side by side.</summary>
    public static Tensor Empty(Tensor like, long width) =>
        empty([like.shape[0], like.shape[2], like.shape[1], width], like.dtype, like.device).transpose(1, 2);

    /// <summary>The row of one head of one token.</summary>
    public T* Row<T>(int token, int head) where T : unmanaged => (T*)Data + token * TokenStride + head * HeadStride;
}
