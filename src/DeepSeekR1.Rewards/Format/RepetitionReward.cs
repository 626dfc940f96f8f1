using System.Text;

namespace DeepSeekR1.Rewards;

/// <summary>What n-grams are made of.</summary>
public enum RepetitionUnit
{
    /// <summary>Sampled tokens (TRL).</summary>
    Tokens,

    /// <summary>Words between white space in lower case, Chinese and Japanese by character (open-r1 cuts Chinese with jieba).</summary>
    Words,
}

/// <summary>
/// Punishes repeated n-grams (Yeo et al., arXiv:2502.03373): (1 − distinct / all) · <see cref="MaxPenalty"/>; 0 for a completion of fewer than n
/// units. Equals TRL's <c>get_repetition_penalty_reward</c> on tokens.
/// </summary>
public sealed class RepetitionReward : IReward
{
    /// <param name="size">n, at least 1.</param>
    /// <param name="maxPenalty">The score of endless repetition; 0 or less.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside these bounds.</exception>
    public RepetitionReward(int size = 3, double maxPenalty = -1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxPenalty, 0);
        (Size, MaxPenalty) = (size, maxPenalty);
    }

    /// <inheritdoc/>
    public string Name => "repetition";

    /// <summary>How many units make an n-gram.</summary>
    public int Size { get; }

    /// <summary>The score of endless repetition.</summary>
    public double MaxPenalty { get; }

    /// <summary>What n-grams are made of.</summary>
    public RepetitionUnit Unit { get; init; }

    /// <inheritdoc/>
    public ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(completion);
        return ValueTask.FromResult(Score(completion));
    }

    private RewardScore Score(Completion completion)
    {
        if (Unit == RepetitionUnit.Words) return Score(NumberWords(completion.Text));
        bool isUnknown = completion.TokenIds.IsEmpty && completion.Text.Length > 0;
        return isUnknown ? RewardScore.Abstain("tokens are unknown") : Score(completion.TokenIds);
    }

    private RewardScore Score(ReadOnlyMemory<int> units)
    {
        int all = units.Length - Size + 1;
        if (all <= 0) return new RewardScore(0, "too short to repeat");
        var distinct = new HashSet<ReadOnlyMemory<int>>(SameContent.Instance);
        for (int i = 0; i < all; i++) distinct.Add(units.Slice(i, Size));
        return new RewardScore((1 - (double)distinct.Count / all) * MaxPenalty, $"{all - distinct.Count} of {all} {Size}-grams repeated");
    }

    /// <summary>The words of a text as numbers, equal words as equal numbers.</summary>
    private static int[] NumberWords(string text)
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        var words = new List<int>();
        foreach (string word in SplitWords(text.ToLowerInvariant()))
        {
            if (!numbers.TryGetValue(word, out int number)) numbers[word] = number = numbers.Count;
            words.Add(number);
        }
        return [.. words];
    }

    private static IEnumerable<string> SplitWords(string text)
    {
        var word = new StringBuilder();
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool standsAlone = Scripts.Of(rune) is Script.Han or Script.Kana;
            if (word.Length > 0 && (standsAlone || Rune.IsWhiteSpace(rune)))
            {
                yield return word.ToString();
                word.Clear();
            }
            if (standsAlone) yield return rune.ToString();
            else if (!Rune.IsWhiteSpace(rune)) word.Append(rune);
        }
        if (word.Length > 0) yield return word.ToString();
    }

    private sealed class SameContent : IEqualityComparer<ReadOnlyMemory<int>>
    {
        public static readonly SameContent Instance = new();

        public bool Equals(ReadOnlyMemory<int> x, ReadOnlyMemory<int> y) => x.Span.SequenceEqual(y.Span);

        public int GetHashCode(ReadOnlyMemory<int> ids)
        {
            var hash = default(HashCode);
            foreach (int id in ids.Span) hash.Add(id);
            return hash.ToHashCode();
        }
    }
}
