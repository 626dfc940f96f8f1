namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>How keys and values are laid out: as panels, so that attention is two matrix products.</summary>
/// <param name="Layers">Decoder layers.</param>
/// <param name="Heads">Key and value heads.</param>
/// <param name="HeadDim">Width of a head.</param>
/// <param name="Width">Columns of a panel.</param>
/// <param name="Type">What the numbers are.</param>
internal sealed record KvLayout(int Layers, int Heads, int HeadDim, int Width, PanelType Type)
{
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
        Capacity = (tokens + layout.Width - 1) / layout.Width * layout.Width;
        _keyBytes = (nint)Capacity * layout.HeadDim * layout.ElementBytes;
        _headBytes = _keyBytes + (nint)Capacity * layout.ValuePanels * layout.Width * layout.ElementBytes;
        _memory = new NativeBuffer(checked((long)_headBytes * layout.Layers * layout.Heads));
    }

    /// <summary>Tokens it has room for.</summary>
    public int Capacity { get; }

    /// <summary>[head dimension, length]: the right-hand side of query · key.</summary>
    public Panels Keys(int layer, int head, int length) =>
        new(Head(layer, head), (nint)_layout.HeadDim * _layout.Width * _layout.ElementBytes, _layout.HeadDim, length, _layout.Type);

    /// <summary>[length, head dimension]: the right-hand side of probability · value.</summary>
    public Panels Values(int layer, int head, int length) =>
        new(Head(layer, head) + _keyBytes, (nint)Capacity * _layout.Width * _layout.ElementBytes, length, _layout.HeadDim, _layout.Type);

    /// <summary>Stores one token's key and value.</summary>
    public void Store(int layer, int head, int token, float* key, float* value)
    {
        if (_layout.Type == PanelType.Float32) StoreFloat32((float*)Head(layer, head), token, key, value);
        else StoreBfloat16((ushort*)Head(layer, head), token, key, value);
    }

    public void Dispose() => _memory.Dispose();

    private nint Head(int layer, int head) => (nint)_memory.Pointer + (layer * _layout.Heads + head) * _headBytes;

    private void StoreFloat32(float* block, int token, float* key, float* value)
    {
        int width = _layout.Width, headDim = _layout.HeadDim;
        float* keys = block + (nint)(token / width) * headDim * width + token % width;
        for (int i = 0; i < headDim; i++) keys[i * width] = key[i];

        float* values = block + (nint)Capacity * headDim + (nint)token * width;
        for (int i = 0; i < headDim; i += width, values += (nint)Capacity * width)
        {
            int count = Math.Min(width, headDim - i);
            new ReadOnlySpan<float>(value + i, count).CopyTo(new Span<float>(values, count));
            ClearNext(values + width, token, width * sizeof(float));
        }
    }

    private void StoreBfloat16(ushort* block, int token, float* key, float* value)
    {
        int width = _layout.Width, headDim = _layout.HeadDim;
        ushort* keys = block + (nint)(token / width) * headDim * width + 2 * (token % width);
        for (int i = 0; i < headDim; i++) keys[i / 2 * 2 * width + i % 2] = Bfloat16.FromSingle(key[i]);

        ushort* values = block + (nint)Capacity * headDim + (nint)(token / 2) * 2 * width;
        for (int i = 0; i < headDim; i += width, values += (nint)Capacity * width)
        {
            int count = Math.Min(width, headDim - i);
            for (int lane = 0; lane < count; lane++)
            {
                uint bits = Bfloat16.FromSingle(value[i + lane]);
                // The even token of a pair clears the odd one.
                if (token % 2 == 0) ((uint*)values)[lane] = bits;
                else values[2 * lane + 1] = (ushort)bits;
            }
        }
    }

    // Products read tokens two by two; what a block held before must not reach them, as it may be NaN.
    private static void ClearNext(float* row, int token, int bytes)
    {
        if (token % 2 == 0) new Span<byte>(row, bytes).Clear();
    }
}
