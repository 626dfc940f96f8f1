using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeepSeekR1.Training;

/// <summary>How the sequences of a step are cut for the machine. Changes memory and speed, never the gradient.</summary>
public sealed record BatchConfig
{
    /// <summary>Most tokens that go through the model at once, padding included.</summary>
    [Description("Most tokens that go through the model at once, padding included. Lower it where memory is short."), Range(1, int.MaxValue)]
    public int TokensPerMicroBatch { get; init; } = 4096;

    /// <summary>Several sequences share a row of at most this many tokens, without seeing one another; 0: one a row.</summary>
    [Description("Several sequences share a row of at most this many tokens, without seeing one another; 0 gives each its own."), Range(0, int.MaxValue)]
    public int PackedRowLength { get; init; }

    /// <summary>Most logits that exist at once, in millions: tokens times vocabulary.</summary>
    [Description("Most logits that exist at once, in millions: tokens times vocabulary."), Range(1, 100_000)]
    public int MillionLogitsPerChunk { get; init; } = 64;

    internal List<List<int[]>> Plan(IReadOnlyList<IScoredSequence> sequences) => PackedRowLength > 0
        ? MicroBatchPlan.Packed(sequences, PackedRowLength, TokensPerMicroBatch)
        : MicroBatchPlan.Padded(sequences, TokensPerMicroBatch);

    internal long LogitsPerChunk => MillionLogitsPerChunk * 1_000_000L;
}
