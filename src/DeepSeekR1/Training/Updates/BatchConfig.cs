using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeepSeekR1.Models;

namespace DeepSeekR1.Training;

/// <summary>How sequences lie beside one another in a micro-batch.</summary>
public enum BatchLayout
{
    /// <summary>Shared where attention skips what a token may not see (float32 and bfloat16 on the CPU) and no row length is given, otherwise rows.</summary>
    Auto,
    /// <summary>End to end in one row without padding; a prompt that several have in common is run once, forward and backward.</summary>
    Shared,
    /// <summary>One or several a row, rows padded to the longest.</summary>
    Rows,
}

/// <summary>How the sequences of a step are cut for the machine. Changes memory and speed, never the gradient.</summary>
public sealed record BatchConfig
{
    /// <summary>Most tokens that go through the model at once, padding included.</summary>
    [Description("Most tokens that go through the model at once, padding included. Lower it where memory is short."), Range(1, int.MaxValue)]
    public int TokensPerMicroBatch { get; init; } = 4096;

    /// <summary>How sequences lie beside one another.</summary>
    [Description("How sequences lie beside one another: shared (end to end, a common prompt run once), rows (padded), or auto, the faster of the two.")]
    public BatchLayout Layout { get; init; } = BatchLayout.Auto;

    /// <summary>Several sequences share a row of at most this many tokens, without seeing one another; 0: one a row.</summary>
    [Description("Several sequences share a row of at most this many tokens, without seeing one another; 0 gives each its own."), Range(0, int.MaxValue)]
    public int PackedRowLength { get; init; }

    /// <summary>Most logits that exist at once, in millions: tokens times vocabulary.</summary>
    [Description("Most logits that exist at once, in millions: tokens times vocabulary."), Range(1, 100_000)]
    public int MillionLogitsPerChunk { get; init; } = 64;

    /// <summary>The micro-batches of a step.</summary>
    internal IEnumerable<MicroBatch> Cut(IReadOnlyList<IScoredSequence> sequences, DecoderModel model)
    {
        bool isShared = Layout == BatchLayout.Shared || (Layout == BatchLayout.Auto && PackedRowLength == 0 && Kernels.KnowSpans(model.Dtype, model.Device));
        // Logits of no more tokens than one chunk holds need not be computed again for their gradient.
        int tokens = (int)Math.Min(TokensPerMicroBatch, Math.Max(1, LogitsPerChunk / model.Config.VocabularySize));
        var plan = isShared ? MicroBatchPlan.Shared(sequences, tokens)
            : PackedRowLength > 0 ? MicroBatchPlan.Packed(sequences, PackedRowLength, TokensPerMicroBatch)
            : MicroBatchPlan.Padded(sequences, TokensPerMicroBatch);
        return plan.Select(rows => isShared ? MicroBatch.Shared(sequences, rows, model.Device) : MicroBatch.Rows(sequences, rows, model.Device));
    }

    internal long LogitsPerChunk => MillionLogitsPerChunk * 1_000_000L;
}
