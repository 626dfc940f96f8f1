using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Tests.Rollouts;

/// <summary>A decoder whose logits are a function of a sequence's ids alone, and which holds its user to the contract.</summary>
internal sealed class FakeDecoder(int vocabulary, int contextLength = 64) : IDecoder
{
    public int VocabularySize => vocabulary;

    public int ContextLength => contextLength;

    public long CacheBytesPerToken { get; init; } = 1;

    /// <summary>Sequences of each batch that was started.</summary>
    public List<int> BatchSizes { get; } = [];

    /// <summary>Tokens computed, prompts aside.</summary>
    public int TokensDecoded { get; private set; }

    public IDecodeBatch Start(IReadOnlyList<ReadOnlyMemory<int>> prompts, IReadOnlyList<int> copies, int maxNewTokens)
    {
        Assert.Equal(prompts.Count, copies.Count);
        Assert.All(copies, count => Assert.True(count > 0));
        Assert.True(maxNewTokens > 0);
        BatchSizes.Add(copies.Sum());
        return new Batch(this, [.. prompts.Zip(copies).SelectMany(pair => Enumerable.Range(0, pair.Second).Select(_ => pair.First.ToArray().ToList()))], maxNewTokens);
    }

    public void Refresh() { }

    public void Dispose() { }

    /// <summary>The logits after these ids.</summary>
    public float[] LogitsAfter(IEnumerable<int> ids)
    {
        int hash = ids.Aggregate(17, (hash, id) => unchecked((hash * 31) + id));
        var logits = new float[vocabulary];
        new AddressedRandom(5, RandomPurpose.Verification).Stream(hash).Normal(logits, 2);
        return logits;
    }

    private sealed class Batch(FakeDecoder decoder, List<List<int>> sequences, int maxNewTokens) : IDecodeBatch
    {
        private int _steps;
        private List<float[]> _logits = [.. sequences.Select(decoder.LogitsAfter)];

        public int Count => sequences.Count;

        public ReadOnlySpan<float> Logits(int sequence) => _logits[sequence];

        public void Advance(ReadOnlySpan<int> keep, ReadOnlySpan<int> tokens)
        {
            Assert.Equal(keep.Length, tokens.Length);
            Assert.True(keep.Length > 0);
            Assert.True(++_steps < maxNewTokens, "the last token need not be appended");
            List<List<int>> kept = [];
            for (int i = 0; i < keep.Length; i++)
            {
                Assert.True(i == 0 || keep[i] > keep[i - 1], "ascending");
                kept.Add([.. sequences[keep[i]], tokens[i]]);
                Assert.True(kept[i].Count <= decoder.ContextLength);
            }
            decoder.TokensDecoded += keep.Length;
            sequences = kept;
            _logits = [.. sequences.Select(decoder.LogitsAfter)];
        }

        public void Dispose() { }
    }
}
