using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>Sequences as one tensor, padded on the right.</summary>
internal static class PaddedSequences
{
    /// <returns>Ids [sequence, longest or more] int64 and lengths [sequence] int64.</returns>
    public static (Tensor Ids, Tensor Lengths) Of(IReadOnlyList<ReadOnlyMemory<int>> sequences, Device device)
    {
        int width = Kernels.StableLength(sequences.Count, sequences.Max(sequence => sequence.Length));
        long[] ids = new long[sequences.Count * width];
        for (int row = 0; row < sequences.Count; row++)
        {
            var source = sequences[row].Span;
            for (int i = 0; i < source.Length; i++) ids[row * width + i] = source[i];
        }
        return (tensor(ids, device: device).view(sequences.Count, width), tensor(sequences.Select(sequence => (long)sequence.Length).ToArray(), device: device));
    }
}
