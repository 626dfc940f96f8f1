using static TorchSharp.torch;

namespace DeepSeekR1.Models;

internal enum AttentionMaskKind
{
    /// <summary>As many queries as keys, each attending to itself and what came before; no tensor is needed.</summary>
    Causal,
    /// <summary>As many queries as keys, in the sequences of the spans, each attending as far back in its own as the window reaches.</summary>
    Spans,
    /// <summary>Every query attends to every key: one token after a cache.</summary>
    Everything,
    /// <summary>As the tensor says.</summary>
    Tensor,
}

/// <summary>Who may attend to whom, in the form that the attention kernel takes; made once for all layers.</summary>
/// <param name="Kind">Which form.</param>
/// <param name="Additive">For <see cref="AttentionMaskKind.Tensor"/>: [batch or 1, 1, query, key], 0 or a large negative number.</param>
/// <param name="Sequences">For <see cref="AttentionMaskKind.Spans"/>: the sequences.</param>
/// <param name="Window">For <see cref="AttentionMaskKind.Spans"/>: how far back a token looks, itself included; null is to the beginning.</param>
internal readonly record struct AttentionMask(AttentionMaskKind Kind, Tensor? Additive = null, TokenSpans? Sequences = null, int? Window = null)
{
    /// <summary>
    /// Large enough that exp gives exactly 0 beside any attended key, finite so that a query that may attend to nothing (padding)
    /// gives a meaningless but finite row and no NaN in the gradient.
    /// </summary>
    private static double Hidden(ScalarType dtype) => dtype == ScalarType.Float16 ? -60_000 : -1e30;

    /// <summary>The mask for <paramref name="queries"/> tokens after <paramref name="past"/> cached ones.</summary>
    /// <param name="allowed">bool [batch or 1, 1, queries, past + queries]; null is causal.</param>
    /// <param name="past">Cached tokens.</param>
    /// <param name="queries">New tokens.</param>
    /// <param name="window">How far back a token looks, itself included; null is to the beginning.</param>
    /// <param name="dtype">What the model computes with.</param>
    /// <param name="device">Where it lives.</param>
    public static AttentionMask Create(Tensor? allowed, long past, long queries, int? window, ScalarType dtype, Device device)
    {
        long keys = past + queries;
        if (window >= keys) window = null;
        if (allowed is null && window is null && past == 0) return new(AttentionMaskKind.Causal);
        if (allowed is null && window is null && queries == 1) return new(AttentionMaskKind.Everything);
        allowed ??= ones([1, 1, queries, keys], ScalarType.Bool, device).tril(past);
        if (window is { } reach) allowed = allowed.logical_and(ones([1, 1, queries, keys], ScalarType.Bool, device).triu(past - reach + 1));
        return Of(allowed, dtype, device);
    }

    /// <summary>The mask of sequences that share a row: the spans themselves where a kernel knows them, otherwise a tensor.</summary>
    /// <param name="sequences">The sequences.</param>
    /// <param name="window">How far back a token looks, itself included; null is to the beginning.</param>
    /// <param name="dtype">What the model computes with.</param>
    /// <param name="device">Where it lives.</param>
    public static AttentionMask Create(TokenSpans sequences, int? window, ScalarType dtype, Device device)
    {
        if (Kernels.KnowSpans(dtype, device)) return new(AttentionMaskKind.Spans, Sequences: sequences, Window: window);
        return Of(tensor(sequences.Allowed(window), device: device).view(1, 1, sequences.Tokens, sequences.Tokens), dtype, device);
    }

    private static AttentionMask Of(Tensor allowed, ScalarType dtype, Device device) =>
        new(AttentionMaskKind.Tensor, zeros(allowed.shape, dtype, device).masked_fill_(allowed.logical_not(), Hidden(dtype)));
}
