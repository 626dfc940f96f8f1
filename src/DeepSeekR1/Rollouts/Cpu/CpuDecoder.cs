using DeepSeekR1.Models;
using TorchSharp;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>
/// Decodes models with grouped heads and gated feed-forward blocks (Llama, Mistral, Qwen2, Qwen3) on the CPU without torch: weights
/// packed for the processor's vectors, each prompt encoded once and its keys and values shared by all sequences that fork from it,
/// nothing padded. Activations are float32; weights and the key/value
/// cache have the model's precision (float32 or bfloat16).
/// A sequence's logits are the same bits whatever else is in the batch and whatever the number of threads.
/// </summary>
public sealed class CpuDecoder : IDecoder
{
    /// <summary>Prompt tokens that go through the layers together.</summary>
    private const int ChunkTokens = 512;

    private readonly PackedModel _model;
    private readonly WorkerPool _pool;
    private readonly ForwardPass _forward;
    private readonly KvLayout _layout;
    private readonly Stack<KvBlock> _freePages = [];
    private readonly RowBuffer _logits;
    private CpuDecodeBatch? _open;

    /// <summary>Packs the weights of a model; the model must outlive the decoder.</summary>
    /// <param name="model">The model.</param>
    /// <param name="threads">Threads that compute; 0 takes one a core.</param>
    /// <param name="width">Vectors to use.</param>
    /// <exception cref="R1Exception">The model is of a kind that this decoder does not know; see <see cref="Supports"/>.</exception>
    public CpuDecoder(CausalLM model, int threads = 0, KernelWidth width = KernelWidth.Auto)
        : this(model, threads, width, ForwardPass.SmallestSharedStage)
    {
    }

    /// <param name="model">The model.</param>
    /// <param name="threads">Threads that compute; 0 takes one a core.</param>
    /// <param name="width">Vectors to use.</param>
    /// <param name="smallestSharedStage">Multiply-adds of a stage below which one thread does it; 0 always shares.</param>
    internal CpuDecoder(CausalLM model, int threads, KernelWidth width, long smallestSharedStage)
    {
        if (!Supports(model))
            throw new R1Exception($"{model.Config.Architecture} in {model.Dtype} on {model.Device} cannot be decoded by CpuDecoder, which takes models " +
                "with grouped heads, without sliding window or experts, in float32 or bfloat16 on the CPU; use TorchDecoder.");
        var kernels = CpuKernels.OfWidth((int)width);
        var config = model.Config;
        _model = new PackedModel(model, kernels);
        _pool = new WorkerPool(threads > 0 ? threads : Environment.ProcessorCount);
        _layout = new KvLayout(config.Layers, config.KeyValueHeads, config.HeadDim, kernels.Width, _model.Type, kernels.TakeCacheTogether(_model.Type));
        _forward = new ForwardPass(_model, kernels, _pool, _layout, smallestSharedStage);
        _logits = new RowBuffer(config.VocabularySize);
        Refresh();
    }

    /// <inheritdoc/>
    public int VocabularySize => _model.Config.VocabularySize;

    /// <inheritdoc/>
    public int ContextLength => _model.Config.MaxPositions;

    /// <inheritdoc/>
    public long CacheBytesPerToken => _layout.BytesPerToken;

    /// <summary>Bytes of keys and values held: of prompts that are read, and of pages in use or waiting for the next sequence.</summary>
    internal long CacheBytes { get; private set; }

    /// <summary>True for models that this decoder can run.</summary>
    public static bool Supports(CausalLM model) =>
        model.Device.type == DeviceType.CPU
        && model.Dtype is torch.ScalarType.Float32 or torch.ScalarType.BFloat16
        && model.Config is { IsClassifier: false, LatentAttention: null, Experts: null, SlidingLayers.Count: 0 };

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">A batch is open: its cache would be of other weights.</exception>
    public void Refresh()
    {
        if (_open is not null) throw new InvalidOperationException("the weights cannot change while a batch is open: dispose it first");
        _model.Pack(_pool);
    }

    /// <inheritdoc/>
    /// <exception cref="R1Exception">A prompt is empty, has an id outside the vocabulary, or does not fit the context.</exception>
    public IDecodeBatch Start(IReadOnlyList<ReadOnlyMemory<int>> prompts, IReadOnlyList<int> copies, int maxNewTokens)
    {
        if (_open is not null) throw new InvalidOperationException("one batch at a time: dispose the open one first");
        var batch = new CpuDecodeBatch(this);
        batch.Join(prompts, copies, maxNewTokens);
        return _open = batch;
    }

    /// <summary>
    /// Log-probabilities of completions that are already there: the same bits as when this decoder drew them, at a fraction of the time.
    /// </summary>
    /// <param name="texts">Prompt and completion ids.</param>
    /// <param name="temperature">Divides the logits.</param>
    /// <returns>[completion][token]</returns>
    /// <exception cref="R1Exception">A prompt is empty, an id is outside the vocabulary, a text does not fit the context, or the logits are not finite.</exception>
    /// <exception cref="InvalidOperationException">A batch is open.</exception>
    public float[][] LogProbs(IReadOnlyList<(ReadOnlyMemory<int> Prompt, ReadOnlyMemory<int> Completion)> texts, double temperature)
    {
        if (_open is not null) throw new InvalidOperationException("one batch at a time: dispose the open one first");
        foreach (var (prompt, completion) in texts)
            if (prompt.Length + completion.Length - 1 > ContextLength)
                throw new R1Exception($"A text has {prompt.Length + completion.Length} tokens, but the model has {ContextLength} positions.");
        return new CompletionScorer(this, temperature).Score(texts);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _open?.Dispose();
        _pool.Dispose();
        _forward.Dispose();
        _model.Dispose();
        _logits.Dispose();
        while (_freePages.TryPop(out var page)) page.Dispose();
    }

    /// <summary>The threads that compute.</summary>
    internal WorkerPool Pool => _pool;

    /// <summary>Reads prompts; the logits that follow them come after those of so many rows.</summary>
    internal PromptCache[] Read(IReadOnlyList<ReadOnlyMemory<int>> prompts, IReadOnlyList<int> copies, int maxNewTokens, int rows)
    {
        Check(prompts, copies, maxNewTokens);
        PromptCache[] caches = [.. prompts.Select((ids, i) => new PromptCache(ids, Hold(new KvBlock(_layout, ids.Length))) { Readers = copies[i] })];
        Encode(caches, rows);
        return caches;
    }

    /// <summary>[vocabulary] logits of a row of the latest pass.</summary>
    internal unsafe ReadOnlySpan<float> Logits(int row) => new(_logits[row], VocabularySize);

    /// <summary>Computes the logits that follow the newest token of each sequence; row i is that of the i-th.</summary>
    internal void Step(IReadOnlyList<SequenceCache> sequences, ReadOnlySpan<int> tokens)
    {
        var rows = new DecoderRow[sequences.Count];
        for (int i = 0; i < rows.Length; i++)
        {
            Extend(sequences[i]);
            rows[i] = Row(tokens[i], sequences[i].Length, sequences[i]);
        }
        Run(rows);
    }

    /// <summary>Makes room for one more token of a sequence.</summary>
    internal void Extend(SequenceCache sequence) => sequence.Extend(TakePage);

    /// <summary>The row of a sequence's token, which is its <paramref name="length"/>-th.</summary>
    internal DecoderRow Row(int token, int length, SequenceCache sequence)
    {
        CheckToken(token);
        return new DecoderRow(token, sequence.Prompt.Length + length - 1, sequence.Prompt, sequence);
    }

    /// <summary>Computes the logits that follow each row.</summary>
    internal void Run(DecoderRow[] rows)
    {
        _forward.Run(rows);
        _forward.Logits(rows.Length, _logits);
    }

    /// <summary>Gives a sequence's pages back, and its prompt's memory with the last one that reads it.</summary>
    internal void Release(SequenceCache sequence)
    {
        if (--sequence.Prompt.Readers == 0)
        {
            CacheBytes -= sequence.Prompt.Cache.Bytes;
            sequence.Prompt.Dispose();
        }
        foreach (var page in sequence.Pages) _freePages.Push(page);
        sequence.Pages.Clear();
    }

    internal void Close(CpuDecodeBatch batch)
    {
        if (_open == batch) _open = null;
    }

    private KvBlock TakePage() => _freePages.TryPop(out var page) ? page : Hold(new KvBlock(_layout, KvLayout.TokensTogether));

    private KvBlock Hold(KvBlock block)
    {
        CacheBytes += block.Bytes;
        return block;
    }

    /// <summary>Reads the prompts, a bounded number of tokens at a time, and computes the logits that follow each.</summary>
    private unsafe void Encode(PromptCache[] prompts, int logitsBefore)
    {
        var tokens = prompts.SelectMany(prompt => Enumerable.Range(0, prompt.Length).Select(i => new DecoderRow(prompt.Ids.Span[i], i, prompt, null)));
        using var last = new RowBuffer(_model.Config.HiddenSize);
        last.Reserve(prompts.Length);
        int encoded = 0;
        foreach (var chunk in tokens.Chunk(ChunkTokens))
        {
            _forward.Run(chunk);
            for (int i = 0; i < chunk.Length; i++)
                if (chunk[i].Position == chunk[i].Prompt.Length - 1) _forward.CopyHidden(i, last[encoded++]);
        }
        _forward.Logits(last, prompts.Length, _logits, logitsBefore);
    }

    private void Check(IReadOnlyList<ReadOnlyMemory<int>> prompts, IReadOnlyList<int> copies, int maxNewTokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxNewTokens);
        ArgumentOutOfRangeException.ThrowIfZero(prompts.Count);
        if (copies.Count != prompts.Count) throw new ArgumentException($"{prompts.Count} prompts, but {copies.Count} numbers of copies", nameof(copies));
        if (copies.Any(count => count <= 0)) throw new ArgumentException("each prompt needs at least one copy", nameof(copies));
        for (int i = 0; i < prompts.Count; i++)
        {
            int length = prompts[i].Length;
            if (length == 0) throw new R1Exception($"Prompt {i} of the batch is empty; a prompt needs at least one token.");
            if (length > ContextLength)
                throw new R1Exception($"Prompt {i} of the batch has {length} tokens, but the model has {ContextLength} positions; shorten it.");
            foreach (int id in prompts[i].Span) CheckToken(id);
        }
    }

    internal void CheckToken(int id)
    {
        if ((uint)id >= (uint)VocabularySize) throw _model.Config.UnknownToken(id);
    }
}
