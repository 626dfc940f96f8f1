using System.Runtime.InteropServices;
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

    /// <summary>Fails as a GPU does that holds so many tokens, those of prompts counted for each copy.</summary>
    public int MostTokens { get; set; } = int.MaxValue;

    /// <summary>Whether prompts may join a batch that is under way.</summary>
    public bool CanJoin { get; init; } = true;

    /// <summary>Most sequences that lived at once.</summary>
    public int MostLive { get; private set; }

    /// <summary>Steps that were computed, of however many sequences.</summary>
    public int Steps { get; private set; }

    /// <summary>Tokens computed, prompts aside.</summary>
    public int TokensDecoded { get; private set; }

    public IDecodeBatch Start(IReadOnlyList<ReadOnlyMemory<int>> prompts, IReadOnlyList<int> copies, int maxNewTokens)
    {
        Assert.Equal(prompts.Count, copies.Count);
        Assert.All(copies, count => Assert.True(count > 0));
        Assert.True(maxNewTokens > 0);
        BatchSizes.Add(copies.Sum());
        var batch = new Batch(this);
        batch.Open(prompts, copies, maxNewTokens);
        return batch;
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

    private sealed class Batch(FakeDecoder decoder) : IDecodeBatch
    {
        private List<List<int>> _sequences = [];
        private List<int> _room = [];
        private List<float[]> _logits = [];

        public int Count => _sequences.Count;

        public bool CanJoin => decoder.CanJoin;

        public void Join(IReadOnlyList<ReadOnlyMemory<int>> prompts, IReadOnlyList<int> copies, int maxNewTokens)
        {
            Assert.True(CanJoin && Count > 0);
            Open(prompts, copies, maxNewTokens);
        }

        public void Open(IReadOnlyList<ReadOnlyMemory<int>> prompts, IReadOnlyList<int> copies, int maxNewTokens)
        {
            foreach (var (prompt, count) in prompts.Zip(copies))
                for (int copy = 0; copy < count; copy++)
                {
                    _sequences.Add([.. prompt.Span]);
                    _room.Add(maxNewTokens);
                }
            CheckMemory();
            _logits = [.. _sequences.Select(decoder.LogitsAfter)];
            decoder.MostLive = Math.Max(decoder.MostLive, Count);
        }

        public ReadOnlySpan<float> Logits(int sequence) => _logits[sequence];

        public void Advance(ReadOnlySpan<int> keep, ReadOnlySpan<int> tokens)
        {
            Assert.Equal(keep.Length, tokens.Length);
            Assert.True(keep.Length > 0);
            decoder.Steps++;
            List<List<int>> kept = [];
            List<int> room = [];
            for (int i = 0; i < keep.Length; i++)
            {
                Assert.True(i == 0 || keep[i] > keep[i - 1], "ascending");
                kept.Add([.. _sequences[keep[i]], tokens[i]]);
                room.Add(_room[keep[i]] - 1);
                Assert.True(room[i] > 0, "the last token need not be appended");
                Assert.True(kept[i].Count <= decoder.ContextLength);
            }
            decoder.TokensDecoded += keep.Length;
            (_sequences, _room) = (kept, room);
            CheckMemory();
            _logits = [.. _sequences.Select(decoder.LogitsAfter)];
        }

        public void Dispose() { }

        private void CheckMemory()
        {
            if (_sequences.Sum(sequence => sequence.Count) > decoder.MostTokens)
                throw new MemoryFailure("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.15 GiB of which 1.02 GiB is free.");
        }
    }

    private sealed class MemoryFailure(string message) : ExternalException(message);
}
