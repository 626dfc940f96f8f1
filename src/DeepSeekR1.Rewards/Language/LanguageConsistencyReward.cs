namespace DeepSeekR1.Rewards;

/// <summary>
/// The share, from 0 to 1, of target-language words in the reasoning (DeepSeek-R1, section 2.3.2: the cure against mixed languages).
/// Mathematics, numbers, names and code do not count. Languages are told apart by script. Reasoning without a word scores 0.
/// </summary>
public sealed class LanguageConsistencyReward : IReward
{
    /// <summary>Takes <see cref="Prompt.Language"/>, or where that is null the language of the prompt's text.</summary>
    public const string Auto = "auto";

    private readonly string _language = Auto;

    /// <inheritdoc/>
    public string Name => "language";

    /// <summary>The wanted language as a BCP 47 tag, or <see cref="Auto"/>.</summary>
    /// <exception cref="ArgumentException">The language is not known.</exception>
    public string Language
    {
        get => _language;
        init => _language = value == Auto || Languages.ScriptOf(value) is not null
            ? value
            : throw new ArgumentException($"language '{value}' is not known: give a BCP 47 tag such as en or zh, or {Auto}", nameof(value));
    }

    /// <summary>True: the whole completion is judged and not only its reasoning.</summary>
    public bool WholeText { get; init; }

    /// <inheritdoc/>
    public ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(completion);
        return ValueTask.FromResult(Score(prompt, completion));
    }

    private RewardScore Score(Prompt prompt, Completion completion)
    {
        string? language = Language == Auto ? prompt.Language ?? Languages.Detect(prompt.Text) : Language;
        if (language is null) return RewardScore.Abstain("the prompt's language is unknown");
        if (Languages.ScriptOf(language) is not { } target) return RewardScore.Abstain($"language '{language}' is not known");

        var words = Words.Split(WholeText ? completion.Text : ThinkTags.Reasoning(completion.Text));
        double all = words.Sum(word => word.Weight);
        if (all == 0) return new RewardScore(0, "no words");
        double share = words.Where(word => word.Script == target).Sum(word => word.Weight) / all;
        return new RewardScore(share, $"{share:P0} {language}");
    }
}
