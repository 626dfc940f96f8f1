namespace DeepSeekR1.Rollouts;

/// <summary>
/// Computes next-token logits for many sequences at once, each remembered in a key/value cache. Knows nothing of sampling, text or
/// stopping: the rollout engine drives it. No tensor passes through, so that engines with and without torch are one to their users.
/// </summary>
public interface IDecoder : IDisposable
{
    /// <summary>Number of logits a sequence has.</summary>
    int VocabularySize { get; }

    /// <summary>Most positions a sequence may have, prompt and completion together.</summary>
    int ContextLength { get; }

    /// <summary>Bytes that one token of one sequence takes in the key/value cache, all layers together.</summary>
    long CacheBytesPerToken { get; }

    /// <summary>Takes the model's weights over as they are now: call it after they changed, while no batch is open.</summary>
    void Refresh();

    /// <summary>Reads the prompts and opens a batch of sequences that continue them. One batch at a time.</summary>
    /// <param name="prompts">Ids of each prompt, at least one. Each is encoded once, whatever its number of copies.</param>
    /// <param name="copies">How many sequences fork from each prompt, at least one.</param>
    /// <param name="maxNewTokens">Most tokens that will be appended to a sequence; sizes the cache.</param>
    IDecodeBatch Start(IReadOnlyList<ReadOnlyMemory<int>> prompts, IReadOnlyList<int> copies, int maxNewTokens);
}

/// <summary>Sequences that grow together, one token each a step. Not for use from several threads, but <see cref="Logits"/> may be.</summary>
public interface IDecodeBatch : IDisposable
{
    /// <summary>Live sequences, in order: all copies of the first prompt, then of the second, and so on.</summary>
    int Count { get; }

    /// <summary>[vocabulary] next-token logits of a live sequence in float32; valid until the next <see cref="Advance"/> or <see cref="Join"/>.</summary>
    ReadOnlySpan<float> Logits(int sequence);

    /// <summary>True where further prompts can join while the batch is under way.</summary>
    bool CanJoin { get; }

    /// <summary>Reads further prompts; the sequences that continue them come after those that live.</summary>
    /// <inheritdoc cref="IDecoder.Start" path="/param"/>
    /// <exception cref="NotSupportedException"><see cref="CanJoin"/> is false.</exception>
    void Join(IReadOnlyList<ReadOnlyMemory<int>> prompts, IReadOnlyList<int> copies, int maxNewTokens);

    /// <summary>Appends one token to each sequence that stays, and computes their next logits; the others leave the batch.</summary>
    /// <param name="keep">Live sequences that stay, ascending, at least one; sequence <c>keep[i]</c> is number <c>i</c> from now on.</param>
    /// <param name="tokens">The token appended to <c>keep[i]</c>.</param>
    void Advance(ReadOnlySpan<int> keep, ReadOnlySpan<int> tokens);
}
