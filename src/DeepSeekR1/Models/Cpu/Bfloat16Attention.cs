using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Models.Cpu;

/// <summary>
/// Attention by the processor's products of bfloat16. Weights and the gradients of scores are rounded to bfloat16 between two products; all
/// else is float32. Keys go in tiles, queries in blocks of all heads that share them, both padded with zeros, so that every product has
/// one of a few shapes. In the backward pass queries lie side by side, so that scores leave one product as the next one reads them.
/// </summary>
internal sealed unsafe class Bfloat16Attention(AttentionOperands operands) : AttentionKernel<Bfloat16Lane>(operands)
{
    /// <summary>Keys of a tile.</summary>
    private const int Tile = 64;

    /// <summary>Queries of each head in a block: few where many heads share a key, enough in all for the products to be fast.</summary>
    private int BlockRows => Sharing >= 4 ? 16 : Sharing >= 2 ? 32 : 64;

    protected override void Forward(int index, int head, HeadRows output)
    {
        var (span, past) = (Spans[index], Spans.PrefixLength(index));
        int tiles = Tiles(past + span.Length), queries = Sharing * BlockRows, keyTile = Tile * KeyWidth, valueTile = Tile * ValueWidth;
        using var scratch = new Scratch((long)tiles * (keyTile + valueTile + queries * Tile) + queries * (KeyWidth + ValueWidth + Tile) + Math.Max(keyTile, valueTile));
        uint* keysT = scratch.TakePairs(tiles * keyTile), values = scratch.TakePairs(tiles * valueTile);
        ushort* natural = scratch.TakeHalves(Math.Max(keyTile, valueTile)), block = scratch.TakeHalves(queries * KeyWidth), weights = scratch.TakeHalves(queries * Tile);
        float* scores = scratch.Take(tiles * queries * Tile), mixed = scratch.Take(queries * ValueWidth);
        for (int tile = 0; tile < tiles; tile++)
        {
            LoadTile(Key, index, head, tile, natural, KeyWidth);
            Bfloat16Pairs.OfColumns(natural, Tile, KeyWidth, keysT + tile * keyTile / 2);
            LoadTile(Value, index, head, tile, natural, ValueWidth);
            Bfloat16Pairs.OfRows(natural, Tile, ValueWidth, values + tile * valueTile / 2);
        }
        float* largest = stackalloc float[queries], sums = stackalloc float[queries];
        int* places = stackalloc int[queries];
        for (int first = 0; first < span.Length; first += BlockRows)
        {
            var (firstTile, endTile) = TilesOf(past + first, Math.Min(BlockRows, span.Length - first));
            LoadBlock(Query, span, first, head, block, KeyWidth);
            for (int tile = firstTile; tile < endTile; tile++)
                NativeProduct.Multiply(queries, Tile, KeyWidth, KeyWidth, Tile, Tile, add: false, block, keysT + tile * keyTile / 2, scores + tile * queries * Tile);
            for (int i = 0; i < queries; i++)
            {
                // Rows behind the span are zeros; they attend as its last one does, and are not stored.
                int place = places[i] = past + Math.Min(QueryAt(i, first, head).Row, span.Length - 1);
                largest[i] = Largest(scores + i * Tile, queries * Tile, firstTile, endTile, FirstKey(place), place + 1);
                sums[i] = 0;
            }
            for (int tile = firstTile; tile < endTile; tile++)
            {
                for (int i = 0; i < queries; i++)
                    sums[i] += Weigh(scores + (tile * queries + i) * Tile, largest[i], FirstKey(places[i]) - tile * Tile, places[i] + 1 - tile * Tile, weights + i * Tile);
                NativeProduct.Multiply(queries, ValueWidth, Tile, Tile, ValueWidth, ValueWidth, add: tile > firstTile, weights, values + tile * valueTile / 2, mixed);
            }
            for (int i = 0; i < queries; i++)
            {
                var (row, queryHead) = QueryAt(i, first, head);
                if (row >= span.Length) continue;
                LogSum(span.Start + row, queryHead) = largest[i] * Scale + MathF.Log(sums[i]);
                StoreRow(mixed + i * ValueWidth, output.Row<Bfloat16Lane>(span.Start + row, queryHead), Value.Width, 1 / sums[i]);
            }
        }
        NativeProduct.Release();
    }

    protected override void Backward(int index, int head, HeadRows output, HeadRows dOutput, HeadRows dQuery, HeadRows dKey, HeadRows dValue, float* part)
    {
        var (span, past) = (Spans[index], Spans.PrefixLength(index));
        int tiles = Tiles(past + span.Length), queries = Sharing * BlockRows, keyTile = Tile * KeyWidth, valueTile = Tile * ValueWidth;
        using var scratch = new Scratch(((long)tiles + 1) * (2 * keyTile + 2 * valueTile) + queries * (4 * KeyWidth + 2 * ValueWidth) + ScoreTile.Floats(Tile, queries));
        ushort* keys = scratch.TakeHalves(tiles * keyTile), keysT = scratch.TakeHalves(tiles * keyTile), values = scratch.TakeHalves(tiles * valueTile);
        float* dKeys = scratch.TakeZeros(tiles * keyTile), dValues = scratch.TakeZeros(tiles * valueTile);
        ushort* block = scratch.TakeHalves(queries * KeyWidth), dMixed = scratch.TakeHalves(queries * ValueWidth);
        uint* blockT = scratch.TakePairs(queries * KeyWidth), blockPairs = scratch.TakePairs(queries * KeyWidth);
        uint* dMixedT = scratch.TakePairs(queries * ValueWidth), dMixedPairs = scratch.TakePairs(queries * ValueWidth);
        var work = new ScoreTile(Tile, queries, scratch.Take(ScoreTile.Floats(Tile, queries)));
        float* dQueriesT = scratch.Take(queries * KeyWidth), dQueries = scratch.Take(queries * KeyWidth);
        uint* keyPairs = scratch.TakePairs(keyTile);
        for (int tile = 0; tile < tiles; tile++)
        {
            LoadTile(Key, index, head, tile, keys + tile * keyTile, KeyWidth);
            Bfloat16Pairs.OfColumns(keys + tile * keyTile, Tile, KeyWidth, keyPairs);
            Bfloat16Pairs.Split(keyPairs, KeyWidth, Tile, keysT + tile * keyTile);
            LoadTile(Value, index, head, tile, values + tile * valueTile, ValueWidth);
        }
        for (int first = 0; first < span.Length; first += BlockRows)
        {
            var (firstTile, endTile) = TilesOf(past + first, Math.Min(BlockRows, span.Length - first));
            LoadBlock(Query, span, first, head, block, KeyWidth);
            LoadBlock(dOutput, span, first, head, dMixed, ValueWidth);
            Bfloat16Pairs.OfColumns(block, queries, KeyWidth, blockT);
            Bfloat16Pairs.OfRows(block, queries, KeyWidth, blockPairs);
            Bfloat16Pairs.OfColumns(dMixed, queries, ValueWidth, dMixedT);
            Bfloat16Pairs.OfRows(dMixed, queries, ValueWidth, dMixedPairs);
            for (int i = 0; i < queries; i++)
            {
                var (row, queryHead) = QueryAt(i, first, head);
                int token = span.Start + row;
                if (row >= span.Length) work.SetPadding(i);
                else work.SetQuery(i, FirstKey(past + row), past + row, LogSum(token, queryHead), Dot(output.Row<Bfloat16Lane>(token, queryHead), dOutput.Row<Bfloat16Lane>(token, queryHead), Value.Width));
            }
            for (int tile = firstTile; tile < endTile; tile++)
            {
                NativeProduct.Multiply(Tile, queries, KeyWidth, KeyWidth, queries, queries, add: false, keys + tile * keyTile, blockT, work.Scores);
                NativeProduct.Multiply(Tile, queries, ValueWidth, ValueWidth, queries, queries, add: false, values + tile * valueTile, dMixedT, work.DWeights);
                work.Differentiate(tile * Tile, Scale);
                NativeProduct.Multiply(Tile, ValueWidth, queries, queries, ValueWidth, ValueWidth, add: true, work.Weights, dMixedPairs, dValues + tile * valueTile);
                NativeProduct.Multiply(Tile, KeyWidth, queries, queries, KeyWidth, KeyWidth, add: true, work.DScores, blockPairs, dKeys + tile * keyTile);
                NativeProduct.Multiply(KeyWidth, queries, Tile, Tile, queries, queries, add: tile > firstTile, keysT + tile * keyTile, work.DScorePairs, dQueriesT);
            }
            Bfloat16Pairs.Transpose(dQueriesT, KeyWidth, queries, dQueries);
            for (int i = 0; i < queries; i++)
            {
                var (row, queryHead) = QueryAt(i, first, head);
                if (row < span.Length) StoreRow(dQueries + i * KeyWidth, dQuery.Row<Bfloat16Lane>(span.Start + row, queryHead), Key.Width, 1);
            }
        }
        NativeProduct.Release();
        StoreGradients(dKeys, dValues, index, head, dKey, dValue, part);
    }

    /// <summary>Row of the span and head of a query of the block that begins at a row.</summary>
    private (int Row, int Head) QueryAt(int i, int first, int head) => (first + i % BlockRows, head * Sharing + i / BlockRows);

    private static int Tiles(int keys) => (keys + Tile - 1) / Tile;

    /// <summary>The tiles that so many queries from a place on attend to.</summary>
    private (int First, int End) TilesOf(int place, int rows) => (FirstKey(place) / Tile, Tiles(place + rows));

    /// <summary>Rows of a tile of keys or values, [Tile, width]; zeros behind the last.</summary>
    private void LoadTile(HeadRows source, int index, int head, int tile, ushort* destination, int width)
    {
        int end = Spans.PrefixLength(index) + Spans[index].Length;
        for (int place = tile * Tile; place < (tile + 1) * Tile; place++, destination += width)
            LoadRow(place < end ? RowAt(source, index, place, head) : null, source.Width, destination, width);
    }

    /// <summary>Rows of a block of queries, head by head; zeros behind the span.</summary>
    private void LoadBlock(HeadRows source, TokenSpan span, int first, int head, ushort* destination, int width)
    {
        for (int i = 0; i < Sharing * BlockRows; i++, destination += width)
        {
            var (row, queryHead) = QueryAt(i, first, head);
            LoadRow(row < span.Length ? source.Row<Bfloat16Lane>(span.Start + row, queryHead) : null, source.Width, destination, width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LoadRow(Bfloat16Lane* source, int count, ushort* destination, int width)
    {
        int i = 0;
        if (source is not null)
        {
            for (; i + Lanes.Width <= count; i += Lanes.Width) Vector256.Load((ushort*)source + i).Store(destination + i);
            for (; i < count; i++) destination[i] = ((ushort*)source)[i];
        }
        for (; i < width; i++) destination[i] = 0;
    }

    /// <summary>The largest score of a query over tiles, of keys in [first, end).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Largest(float* scores, nint tileStride, int firstTile, int endTile, int first, int end)
    {
        var largest = Vector512.Create(float.NegativeInfinity);
        for (int tile = firstTile; tile < endTile; tile++)
            for (int i = 0; i < Tile; i += Lanes.Width)
                largest = Vector512.Max(largest, Lanes.Inside(Vector512.Load(scores + tile * tileStride + i), tile * Tile + i, first, end, largest));
        return Lanes.Max(largest);
    }

    /// <summary>weights = exp((score - largest) * scale) of a tile's keys in [first, end), 0 for the others; returns their sum before rounding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private float Weigh(float* scores, float largest, int first, int end, ushort* weights)
    {
        var (sum, factor, shift) = (Vector512<float>.Zero, Vector512.Create(Scale), Vector512.Create(-largest * Scale));
        for (int i = 0; i < Tile; i += Lanes.Width)
        {
            var weight = Lanes.Inside(Lanes.Exp(Vector512.FusedMultiplyAdd(Vector512.Load(scores + i), factor, shift)), i, first, end, Vector512<float>.Zero);
            Bfloat16Lane.Store(weight, (Bfloat16Lane*)weights + i);
            sum += weight;
        }
        return Vector512.Sum(sum);
    }
}
