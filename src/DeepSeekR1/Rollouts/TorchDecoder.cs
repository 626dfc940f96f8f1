using DeepSeekR1.Models;

namespace DeepSeekR1.Rollouts;

/// <summary>
/// Decodes with the model's own forward pass, on any device. Prompts are left-padded to one length and read once; their cache rows
/// fork for the group at the first step.
/// </summary>
/// <param name="model">The policy; stays the caller's to dispose. Its weights may change between batches.</param>
public sealed class TorchDecoder(CausalLM model) : IDecoder
{
    /// <summary>Whether tokens are drawn where the logits are, and only they come to the host: on a GPU, and in tests.</summary>
    internal bool DrawsOnDevice { get; init; } = model.Device.type != TorchSharp.DeviceType.CPU;

    /// <inheritdoc/>
    public int VocabularySize => model.Config.VocabularySize;

    /// <inheritdoc/>
    public int ContextLength => model.Config.MaxPositions;

    /// <inheritdoc/>
    public long CacheBytesPerToken { get; } = MeasureCache(model);

    /// <inheritdoc/>
    public IDecodeBatch Start(IReadOnlyList<ReadOnlyMemory<int>> prompts, IReadOnlyList<int> copies, int maxNewTokens) =>
        new TorchDecodeBatch(model, prompts, copies, maxNewTokens) { DrawsOnDevice = DrawsOnDevice };

    /// <summary>Does nothing: it computes with the model's own weights.</summary>
    public void Refresh() { }

    /// <summary>Releases nothing: the model belongs to the caller, each cache to its batch.</summary>
    public void Dispose() { }

    private static long MeasureCache(CausalLM model)
    {
        using var cache = KvCache.Create(model, rows: 1, capacity: 1);
        return cache.BytesPerToken;
    }
}
