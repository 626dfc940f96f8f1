using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>
/// Keys and values of tokens already read, so that the next token costs one row. Memory for the whole capacity is taken at once:
/// [rows, key-value heads, capacity, head width], twice a layer; with latent attention one [rows, 1, capacity, rank + rotary width]. All rows have the same length; shorter prompts are left-padded and masked.
/// </summary>
public sealed class KvCache : IDisposable
{
    /// <summary>By layer, then key and value, or the latent alone.</summary>
    private readonly Tensor[][] _layers;

    private KvCache(Tensor[][] layers, int rows, int capacity) => (_layers, Rows, Capacity) = (layers, rows, capacity);

    /// <summary>Sequences held.</summary>
    public int Rows { get; private set; }

    /// <summary>Tokens a row can hold.</summary>
    public int Capacity { get; }

    /// <summary>Tokens each row holds.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes one token of one row takes, all layers together.</summary>
    public long BytesPerToken => _layers.Sum(layer => layer.Sum(stored => stored.numel() * stored.element_size())) / ((long)Rows * Capacity);

    /// <summary>An empty cache for a model.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No rows or no capacity.</exception>
    public static KvCache Create(DecoderModel model, int rows, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        var config = model.Config;
        (int Heads, int Width)[] shapes = config.LatentAttention is { } latent
            ? [(1, latent.KeyValueRank + latent.RotaryHeadDim)]
            : [(config.KeyValueHeads, config.HeadDim), (config.KeyValueHeads, config.HeadDim)];
        var layers = new Tensor[config.Layers][];
        for (int layer = 0; layer < layers.Length; layer++)
            layers[layer] = [.. shapes.Select(shape => empty([rows, shape.Heads, capacity, shape.Width], model.Dtype, model.Device).DetachFromDisposeScope())];
        return new KvCache(layers, rows, capacity);
    }

    /// <summary>Keeps only these rows, in this order; a row may be named more than once.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A row that is not there, or none at all.</exception>
    public void SelectRows(ReadOnlySpan<int> rows)
    {
        ArgumentOutOfRangeException.ThrowIfZero(rows.Length);
        var indices = new long[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(rows[i]);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rows[i], Rows);
            indices[i] = rows[i];
        }
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var index = tensor(indices, device: _layers[0][0].device);
        foreach (var layer in _layers)
            for (int i = 0; i < layer.Length; i++) layer[i] = Select(layer[i], index);
        Rows = rows.Length;
    }

    /// <summary>Repeats each row <paramref name="times"/> times, neighbours together: a prompt read once for its whole group.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public void ExpandRows(int times)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(times);
        var rows = new int[Rows * times];
        for (int i = 0; i < rows.Length; i++) rows[i] = i / times;
        SelectRows(rows);
    }

    /// <summary>Forgets every token; rows and memory stay.</summary>
    public void Clear() => Length = 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layer in _layers)
            foreach (var stored in layer) stored.Dispose();
    }

    /// <summary>Stores what a layer made of the new tokens, [rows, heads, new, width]; gives all so far, [rows, heads, length + new, width].</summary>
    internal Tensor Append(int layer, int part, Tensor fresh)
    {
        long count = fresh.shape[2];
        var stored = _layers[layer][part];
        stored.narrow(2, Length, count).copy_(fresh);
        return stored.narrow(2, 0, Length + count);
    }

    /// <summary>Called once a forward pass, after all layers have stored their part.</summary>
    internal void Advance(long count) => Length += (int)count;

    /// <exception cref="ArgumentException">The tokens do not fit.</exception>
    internal void CheckRoom(long rows, long count)
    {
        if (rows != Rows) throw new ArgumentException($"the cache holds {Rows} rows, the ids {rows}");
        if (Length + count > Capacity) throw new ArgumentException($"the cache has room for {Capacity} tokens a row; {Length} are held and {count} more asked for");
        if (is_grad_enabled()) throw new InvalidOperationException("a cached forward pass has no gradient: open no_grad() around it");
    }

    private Tensor Select(Tensor old, Tensor index)
    {
        var fresh = empty([index.shape[0], .. old.shape[1..]], old.dtype, old.device);
        fresh.narrow(2, 0, Length).copy_(old.narrow(2, 0, Length).index_select(0, index));
        old.Dispose();
        return fresh.DetachFromDisposeScope();
    }
}
