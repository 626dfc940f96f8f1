using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>
/// Keys and values of tokens already read, so that the next token costs one row. Memory for the whole capacity is taken at once:
/// [rows, key-value heads, capacity, head width], twice a layer. All rows have the same length; shorter prompts are left-padded and masked.
/// </summary>
public sealed class KvCache : IDisposable
{
    private readonly (Tensor Key, Tensor Value)[] _layers;

    private KvCache((Tensor, Tensor)[] layers, int rows, int capacity) => (_layers, Rows, Capacity) = (layers, rows, capacity);

    /// <summary>Sequences held.</summary>
    public int Rows { get; private set; }

    /// <summary>Tokens a row can hold.</summary>
    public int Capacity { get; }

    /// <summary>Tokens each row holds.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes one token of one row takes, all layers together.</summary>
    public long BytesPerToken => _layers.Sum(layer => (layer.Key.numel() + layer.Value.numel()) * layer.Key.element_size()) / ((long)Rows * Capacity);

    /// <summary>An empty cache for a model.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No rows or no capacity.</exception>
    public static KvCache Create(CausalLM model, int rows, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        var config = model.Config;
        Tensor Room(int heads, int width) => empty([rows, heads, capacity, width], model.Dtype, model.Device).DetachFromDisposeScope();
        var layers = new (Tensor, Tensor)[config.Layers];
        for (int i = 0; i < layers.Length; i++)
            layers[i] = (Room(config.KeyValueHeads, config.HeadDim), Room(config.KeyValueHeads, config.HeadDim));
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
        var index = tensor(indices, device: _layers[0].Key.device);
        for (int i = 0; i < _layers.Length; i++) _layers[i] = (Select(_layers[i].Key, index), Select(_layers[i].Value, index));
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
        foreach (var (key, value) in _layers)
        {
            key.Dispose();
            value.Dispose();
        }
    }

    /// <summary>Stores one layer's new keys and values, each [rows, heads, new, width]; gives all so far, [rows, heads, length + new, width].</summary>
    internal (Tensor Key, Tensor Value) Append(int layer, Tensor key, Tensor value)
    {
        long count = key.shape[2];
        var (keys, values) = _layers[layer];
        keys.narrow(2, Length, count).copy_(key);
        values.narrow(2, Length, count).copy_(value);
        return (keys.narrow(2, 0, Length + count), values.narrow(2, 0, Length + count));
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
