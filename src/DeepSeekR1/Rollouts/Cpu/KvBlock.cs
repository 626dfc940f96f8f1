using System.Runtime.CompilerServices;
using DeepSeekR1.Vectors;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>How keys and values are laid out: as panels, so that attention is two matrix products.</summary>
/// <param name="Layers">Decoder layers.</param>
/// <param name="Heads">Key and value heads.</param>
/// <param name="HeadDim">Width of a head.</param>
/// <param name="Width">Columns of a panel.</param>
/// <param name="Type">What the numbers are.</param>
/// <param name="AreTogether">Whether the keys of <see cref="TokensTogether"/> tokens go together, and all of a value.</param>
internal sealed record KvLayout(int Layers, int Heads, int HeadDim, int Width, PanelType Type, bool AreTogether)
{
    /// <summary>Tokens of keys that go together, if any do, and of a page of a sequence.</summary>
    public const int TokensTogether = 64;

    public int KeyPanelsTogether => AreTogether ? TokensTogether / Width : 1;

    public int ValuePanelsTogether => AreTogether ? ValuePanels : 1;

    /// <summary>
    /// Values are multiplied so many at a time: those behind the last token must be finite. 32 is what a processor with matrix registers sums
    /// at once, so that zeros behind a token do not change how those before it are summed.
    /// </summary>
    public int ValueRun => AreTogether ? 32 : 2;

    /// <summary>Tokens rounded up to as many as both products of attention take.</summary>
    public int Padded(int tokens)
    {
        int step = Math.Max(Width, ValueRun);
        return (tokens + step - 1) / step * step;
    }

    public int ElementBytes => Type == PanelType.Float32 ? sizeof(float) : sizeof(ushort);

    public int ValuePanels => (HeadDim + Width - 1) / Width;

    public long BytesPerToken => (long)Layers * Heads * (HeadDim + ValuePanels * Width) * ElementBytes;
}

/// <summary>Keys and values of consecutive tokens, all layers.</summary>
internal sealed unsafe class KvBlock : IDisposable
{
    private readonly KvLayout _layout;
    private readonly NativeBuffer _memory;
    private readonly nint _keyBytes, _headBytes;

    /// <param name="layout">The layout.</param>
    /// <param name="tokens">Tokens to have room for; rounded up to whole panels.</param>
    public KvBlock(KvLayout layout, int tokens)
    {
        _layout = layout;
        int step = layout.Width * layout.KeyPanelsTogether;
        Capacity = (tokens + step - 1) / step * step;
        _keyBytes = (nint)Capacity * layout.HeadDim * layout.ElementBytes;
        _headBytes = _keyBytes + (nint)Capacity * layout.ValuePanels * layout.Width * layout.ElementBytes;
        _memory = new NativeBuffer(checked((long)_headBytes * layout.Layers * layout.Heads));
    }

    /// <summary>Tokens it has room for.</summary>
    public int Capacity { get; }

    public long Bytes => _memory.Bytes;

    /// <summary>[head dimension, length]: the right-hand side of query · key.</summary>
    public Panels Keys(int layer, int head, int length) =>
        new(Head(layer, head), (nint)_layout.HeadDim * _layout.Width * _layout.ElementBytes, _layout.HeadDim, length, _layout.Type, _layout.KeyPanelsTogether);

    /// <summary>[length, head dimension]: the right-hand side of probability · value; the length rounded up where values go together.</summary>
    public Panels Values(int layer, int head, int length)
    {
        if (_layout.AreTogether) length = _layout.Padded(length);
        return new(Head(layer, head) + _keyBytes, (nint)Capacity * _layout.Width * _layout.ElementBytes, length, _layout.HeadDim, _layout.Type, _layout.ValuePanelsTogether);
    }

    /// <summary>Stores one token's key and value.</summary>
    /// <param name="layer">Layer.</param>
    /// <param name="head">Key/value head.</param>
    /// <param name="token">Its place in the block.</param>
    /// <param name="key">[head dimension].</param>
    /// <param name="value">[head dimension].</param>
    /// <param name="clearRest">
    /// Zeroes the values behind it up to the end of its <see cref="KvLayout.ValueRun"/>: what a used block held before must not reach products,
    /// as it may be NaN. Only for the last token of the block that is stored.
    /// </param>
    public void Store(int layer, int head, int token, float* key, float* value, bool clearRest)
    {
        if (_layout.Type == PanelType.Float32) StoreFloat32((float*)Head(layer, head), token, key, value, clearRest && token % 2 == 0);
        else StoreBfloat16((uint*)Head(layer, head), token, key, value, clearRest);
    }

    public void Dispose() => _memory.Dispose();

    private nint Head(int layer, int head) => (nint)_memory.Pointer + (layer * _layout.Heads + head) * _headBytes;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void StoreFloat32(float* block, int token, float* key, float* value, bool clearRest)
    {
        int width = _layout.Width, headDim = _layout.HeadDim;
        float* keys = block + (nint)(token / width) * headDim * width + token % width;
        for (int i = 0; i < headDim; i++) keys[i * width] = key[i];

        float* values = block + (nint)Capacity * headDim + (nint)token * width;
        for (int i = 0; i < headDim; i += width, values += (nint)Capacity * width)
        {
            int count = Math.Min(width, headDim - i);
            new ReadOnlySpan<float>(value + i, count).CopyTo(new Span<float>(values, count));
            if (clearRest) new Span<float>(values + width, count).Clear();
        }
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void StoreBfloat16(uint* block, int token, float* key, float* value, bool clearRest)
    {
        int width = _layout.Width, headDim = _layout.HeadDim;
        ushort* rounded = stackalloc ushort[headDim];
        Bfloat16.Round(key, rounded, headDim);
        int tile = width * _layout.KeyPanelsTogether;
        uint* keys = block + (nint)(token / tile) * headDim / 2 * tile + token % tile;
        for (int i = 0; i < headDim; i += 2, keys += tile) *keys = *(uint*)(rounded + i);

        Bfloat16.Round(value, rounded, headDim);
        int row = width * _layout.ValuePanelsTogether, pairsBehind = clearRest ? (_layout.ValueRun - token % _layout.ValueRun - 1) / 2 : 0;
        nint panel = _layout.AreTogether ? width : (nint)Capacity / 2 * width;
        uint* values = block + (nint)Capacity * headDim / 2 + (nint)(token / 2) * row;
        for (int i = 0; i < headDim; i += width, values += panel)
        {
            int count = Math.Min(width, headDim - i);
            if (clearRest && token % 2 == 0)
            {
                for (int lane = 0; lane < count; lane++) values[lane] = rounded[i + lane];
            }
            else
            {
                for (int lane = 0; lane < count; lane++) ((ushort*)values)[2 * lane + token % 2] = rounded[i + lane];
            }
            for (int pair = 1; pair <= pairsBehind; pair++) new Span<uint>(values + pair * row, count).Clear();
        }
    }
}
