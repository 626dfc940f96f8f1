namespace DeepSeekR1.Rewards;

/// <summary>
/// The share, from 0 to 1, of target-language words in the reasoning (DeepSeek-R1, section 2.3.2: the cure against mixed languages).
/// Mathematics, numbers, names and code do not count. Languages are told apart by script, and those in Latin
/// letters by <see cref="LatinDetector"/>. Reasoning without a word scores 0.
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

    /// <summary>Tells languages in Latin letters apart; null takes every Latin word for the target's when the target is written in them.</summary>
    public ILatinLanguageDetector? LatinDetector { get; init; }

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
        if ((Language == Auto ? prompt.Language ?? Detect(prompt.Text) : Language) is not { } language)
            return RewardScore.Abstain("the prompt's language is unknown");
        if (Languages.ScriptOf(language) is not { } target) return RewardScore.Abstain($"language '{language}' is not known");

        var words = Words.Split(WholeText ? completion.Text : ThinkTags.Reasoning(completion.Text));
        double all = words.Sum(word => word.Weight);
        if (all == 0) return new RewardScore(0, "no words");
        var inScript = words.FindAll(word => word.Script == target);
        double wanted = inScript.Sum(word => word.Weight);
        if (target == Script.Latin && wanted > 0 && LatinDetector is not null)
            wanted *= LatinDetector.Share([.. inScript.Select(word => word.Text)], Languages.Primary(language));
        return new RewardScore(wanted / all, $"{wanted / all:P0} {language}");
    }

    private string? Detect(string text)
    {
        string? language = Languages.Detect(text);
        bool isLatin = language is not null && Languages.ScriptOf(language) == Script.Latin;
        return isLatin && LatinDetector is not null
            ? LatinDetector.Detect([.. Words.Split(text).Where(word => word.Script == Script.Latin).Select(word => word.Text)])
            : language;
    }
}
