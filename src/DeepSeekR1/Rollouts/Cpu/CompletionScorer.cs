using System.Runtime.InteropServices;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>
/// Reads completions that are already there, many tokens at a time, with the kernels, the order of sums and the layout of the cache that
/// drew them: the same log-probabilities, bit for bit.
/// </summary>
internal sealed class CompletionScorer
{
    /// <summary>Tokens that go through the layers together, and logits that may exist at once.</summary>
    private const int ChunkTokens = 512, ChunkLogits = 1 << 24;

    /// <summary>Tokens whose keys and values are held at once, unless a single completion has more.</summary>
    private const int HeldTokens = 1 << 14;

    private readonly CpuDecoder _decoder;
    private readonly double _temperature;
    private readonly int _chunk;
    private readonly TokenDistribution[] _distributions;

    /// <param name="decoder">The decoder, with no batch open.</param>
    /// <param name="temperature">Divides the logits.</param>
    public CompletionScorer(CpuDecoder decoder, double temperature)
    {
        (_decoder, _temperature) = (decoder, temperature);
        _chunk = Math.Clamp(ChunkLogits / decoder.VocabularySize, 1, ChunkTokens);
        _distributions = [.. Enumerable.Range(0, decoder.Pool.Size).Select(_ => new TokenDistribution(decoder.VocabularySize))];
    }

    /// <summary>[completion][token] log-probability of each token after those before it.</summary>
    public float[][] Score(IReadOnlyList<(ReadOnlyMemory<int> Prompt, ReadOnlyMemory<int> Completion)> texts)
    {
        float[][] logProbs = [.. texts.Select(text => new float[text.Completion.Length])];
        var byPrompt = Enumerable.Range(0, texts.Count).Where(i => logProbs[i].Length > 0).GroupBy(i => new Prompt(texts[i].Prompt)).SelectMany(group => group);
        var held = new List<int>();
        int tokens = 0;
        foreach (int i in byPrompt)
        {
            if (held.Count > 0 && tokens + texts[i].Prompt.Length + logProbs[i].Length > HeldTokens)
            {
                ScoreTogether(texts, held, logProbs);
                (held, tokens) = ([], 0);
            }
            held.Add(i);
            tokens += texts[i].Prompt.Length + logProbs[i].Length;
        }
        if (held.Count > 0) ScoreTogether(texts, held, logProbs);
        return logProbs;
    }

    private void ScoreTogether(IReadOnlyList<(ReadOnlyMemory<int> Prompt, ReadOnlyMemory<int> Completion)> texts, List<int> chosen, float[][] logProbs)
    {
        var groups = chosen.GroupBy(i => new Prompt(texts[i].Prompt)).ToList();
        var prompts = _decoder.Read([.. groups.Select(group => group.Key.Ids)], [.. groups.Select(group => group.Count())], chosen.Max(i => logProbs[i].Length), rows: 0);
        var sequences = groups.SelectMany((group, place) => group.Select(i => (Text: i, Place: place, Cache: new SequenceCache(prompts[place])))).ToList();
        try
        {
            Draw([.. sequences.Select(sequence => (sequence.Place, sequence.Text, Token: 0))], texts, logProbs);
            var following = sequences.SelectMany(sequence => Enumerable.Range(1, logProbs[sequence.Text].Length - 1).Select(token => (sequence.Text, Token: token, sequence.Cache)));
            foreach (var chunk in following.Chunk(_chunk))
            {
                foreach (var (_, token, cache) in chunk) _decoder.Extend(cache);
                _decoder.Run([.. chunk.Select(row => _decoder.Row(texts[row.Text].Completion.Span[row.Token - 1], row.Token, row.Cache))]);
                Draw([.. chunk.Select((row, place) => (place, row.Text, row.Token))], texts, logProbs);
            }
        }
        finally
        {
            foreach (var (_, _, cache) in sequences) _decoder.Release(cache);
        }
    }

    /// <summary>Reads log-probabilities off the rows of logits.</summary>
    private void Draw((int Row, int Text, int Token)[] places, IReadOnlyList<(ReadOnlyMemory<int> Prompt, ReadOnlyMemory<int> Completion)> texts, float[][] logProbs) =>
        _decoder.Pool.RunParts(places.Length, (member, part) =>
        {
            var (row, text, token) = places[part];
            var logits = _decoder.Logits(row);
            int id = texts[text].Completion.Span[token];
            _decoder.CheckToken(id);
            logProbs[text][token] = _distributions[member].Weigh(logits, _temperature).LogProb(logits[id]);
        });

    /// <summary>A prompt's ids, equal where they are.</summary>
    private readonly record struct Prompt(ReadOnlyMemory<int> Ids)
    {
        public bool Equals(Prompt other) => Ids.Span.SequenceEqual(other.Ids.Span);

        public override int GetHashCode()
        {
            var hash = new HashCode();
            hash.AddBytes(MemoryMarshal.AsBytes(Ids.Span));
            return hash.ToHashCode();
        }
    }
}
