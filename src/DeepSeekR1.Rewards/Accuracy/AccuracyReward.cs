namespace DeepSeekR1.Rewards;

/// <summary>What several different answers in one completion mean.</summary>
public enum ManyAnswers
{
    /// <summary>Wrong: listing candidates until one fits is a known way to cheat a verifier.</summary>
    Wrong,

    /// <summary>The last one counts.</summary>
    Last,

    /// <summary>The first one counts.</summary>
    First,
}

/// <summary>
/// 1 when the completion's final answer means the same as the prompt's reference answer, else 0. Abstains when there is no reference
/// answer or when the equivalence cannot judge.
/// </summary>
public sealed class AccuracyReward : IReward
{
    /// <summary>Nobody writes one answer in more ways; comparing hundreds of them would take long.</summary>
    private const int MaxWritings = 16;

    /// <inheritdoc/>
    public string Name => "accuracy";

    /// <summary>Finds the final answer.</summary>
    public AnswerExtractor Extractor { get; init; } = new();

    /// <summary>Compares it with the reference.</summary>
    public IAnswerEquivalence Equivalence { get; init; } = new MathEquivalence();

    /// <summary>What several different answers of equal standing (boxes, answer blocks) mean.</summary>
    public ManyAnswers ManyAnswers { get; init; } = ManyAnswers.Wrong;

    /// <inheritdoc/>
    public ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(completion);
        return ValueTask.FromResult(Score(prompt, completion));
    }

    private RewardScore Score(Prompt prompt, Completion completion)
    {
        if (string.IsNullOrWhiteSpace(prompt.Answer)) return RewardScore.Abstain("no reference answer");
        string gold = AnswerExtractor.Gold(prompt.Answer);
        if (Extractor.Extract(completion) is not { } found) return new RewardScore(0, $"no answer, expected {Short(gold)}");
        if (ManyAnswers == ManyAnswers.Wrong && FirstDifferent(found) is { } other)
            return new RewardScore(0, $"several answers: {Short(other)} and {Short(found.Text)}") { Details = Details(found, found.Text) };

        string answer = ManyAnswers == ManyAnswers.First ? found.Candidates[0] : found.Text;
        return Equivalence.AreEquivalent(gold, answer) switch
        {
            true => new RewardScore(1, $"{Describe(found.Strategy)} {Short(answer)}") { Details = Details(found, answer) },
            false => new RewardScore(0, $"{Describe(found.Strategy)} {Short(answer)}, expected {Short(gold)}") { Details = Details(found, answer) },
            null => RewardScore.Abstain($"cannot compare {Short(answer)} with {Short(gold)}") with { Details = Details(found, answer) },
        };
    }

    /// <summary>The first candidate that is not certainly the same as the last; any, where there are too many to look at.</summary>
    private string? FirstDifferent(ExtractedAnswer found)
    {
        var others = found.Candidates.SkipLast(1).Where(other => other != found.Text).Distinct(StringComparer.Ordinal).Take(MaxWritings + 1).ToList();
        return others.Count > MaxWritings ? others[0] : others.Find(other => Equivalence.AreEquivalent(found.Text, other) != true);
    }

    private static Dictionary<string, string> Details(ExtractedAnswer found, string answer) =>
        new() { ["answer"] = answer, ["strategy"] = Describe(found.Strategy) };

    private static string Describe(AnswerStrategy strategy) => strategy switch
    {
        AnswerStrategy.AnswerTag => "answered",
        AnswerStrategy.Boxed => "boxed",
        AnswerStrategy.Phrase => "said",
        AnswerStrategy.HashMark => "marked",
        _ => "last number",
    };

    private static string Short(string text)
    {
        string line = text.ReplaceLineEndings(" ");
        return line.Length <= 60 ? line : line[..57] + "…";
    }
}
