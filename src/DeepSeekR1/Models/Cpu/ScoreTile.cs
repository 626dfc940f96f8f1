using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using DeepSeekR1.Vectors;

namespace DeepSeekR1.Models.Cpu;

/// <summary>Scores of a tile of keys and a block of queries, which lie side by side, and what the backward pass makes of them.</summary>
internal readonly unsafe ref struct ScoreTile
{
    private readonly int _keys, _queries;
    private readonly int* _firstKeys, _lastKeys;
    private readonly float* _logSums, _means;

    /// <param name="keys">Keys of the tile, even.</param>
    /// <param name="queries">Queries of the block, a multiple of the vectors' width.</param>
    /// <param name="memory">So much as <see cref="Floats"/> says.</param>
    public ScoreTile(int keys, int queries, float* memory)
    {
        int count = keys * queries;
        _keys = keys;
        _queries = queries;
        Scores = memory;
        DWeights = Scores + count;
        Weights = (ushort*)(DWeights + count);
        DScores = Weights + count;
        DScorePairs = (uint*)(DScores + count);
        _firstKeys = (int*)DScorePairs + count / 2;
        _lastKeys = _firstKeys + queries;
        _logSums = (float*)_lastKeys + queries;
        _means = _logSums + queries;
    }

    /// <summary>[key, query].</summary>
    public float* Scores { get; }

    /// <summary>[key, query] gradients of the weights.</summary>
    public float* DWeights { get; }

    /// <summary>[key, query].</summary>
    public ushort* Weights { get; }

    /// <summary>[key, query] gradients of the scores.</summary>
    public ushort* DScores { get; }

    /// <summary>The same, two keys interleaved: [key / 2, query].</summary>
    public uint* DScorePairs { get; }

    /// <summary>Memory that a tile needs.</summary>
    public static int Floats(int keys, int queries) => keys * queries * 7 / 2 + 4 * queries;

    /// <param name="i">Place of the query in the block.</param>
    /// <param name="firstKey">First key that it attends to.</param>
    /// <param name="lastKey">Last key that it attends to.</param>
    /// <param name="logSum">Logarithm of the sum of its weights.</param>
    /// <param name="mean">Sum over its weights times their gradients.</param>
    public void SetQuery(int i, int firstKey, int lastKey, float logSum, float mean)
    {
        _firstKeys[i] = firstKey;
        _lastKeys[i] = lastKey;
        _logSums[i] = logSum;
        _means[i] = mean;
    }

    /// <summary>A query that attends to nothing.</summary>
    public void SetPadding(int i) => SetQuery(i, 0, -1, 0, 0);

    /// <summary>weight = exp(score * scale - logSum), dScore = weight * (dWeight - mean) * scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Differentiate(int firstKey, float scale)
    {
        for (int i = 0; i < _queries; i += Lanes.Width)
        {
            var (firstKeys, lastKeys) = (Vector512.Load(_firstKeys + i), Vector512.Load(_lastKeys + i));
            var (logSums, means) = (Vector512.Load(_logSums + i), Vector512.Load(_means + i));
            for (int key = 0; key < _keys; key += 2)
            {
                nint even = (nint)key * _queries + i, odd = even + _queries;
                var evenRow = Differentiate(even, Seen(firstKey + key, firstKeys, lastKeys), logSums, means, scale);
                var oddRow = Differentiate(odd, Seen(firstKey + key + 1, firstKeys, lastKeys), logSums, means, scale);
                (evenRow | (oddRow << 16)).Store(DScorePairs + (nint)(key / 2) * _queries + i);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector512<uint> Differentiate(nint place, Vector512<float> isSeen, Vector512<float> logSums, Vector512<float> means, float scale)
    {
        var weight = Lanes.Exp(Vector512.FusedMultiplyAdd(Vector512.Load(Scores + place), Vector512.Create(scale), -logSums)) & isSeen;
        var dScore = Bfloat16.Round(weight * (Vector512.Load(DWeights + place) - means) * scale & isSeen);
        Bfloat16Lane.Store(weight, (Bfloat16Lane*)Weights + place);
        Avx512F.ConvertToVector256UInt16(dScore).Store(DScores + place);
        return dScore;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Seen(int key, Vector512<int> firstKeys, Vector512<int> lastKeys) =>
        (Vector512.GreaterThanOrEqual(Vector512.Create(key), firstKeys) & Vector512.LessThanOrEqual(Vector512.Create(key), lastKeys)).AsSingle();
}
