namespace DeepSeekR1.Rewards;

/// <summary>The rewards of this package by their config names.</summary>
internal static class BuiltInRewards
{
    public static IReadOnlyDictionary<string, Func<RewardOptions, IGroupReward>> Factories { get; } =
        new Dictionary<string, Func<RewardOptions, IGroupReward>>(StringComparer.OrdinalIgnoreCase)
        {
            ["accuracy"] = Accuracy,
            ["format"] = Format,
            ["language"] = Language,
        };

    private static AccuracyReward Accuracy(RewardOptions options)
    {
        var extractor = new AnswerExtractor();
        return new AccuracyReward
        {
            Extractor = extractor with
            {
                Strategies = options.Choices("strategies", extractor.Strategies),
                OnlyAfterThinking = options.Flag("only-after-thinking", extractor.OnlyAfterThinking),
                RequireThinking = options.Flag("require-thinking", extractor.RequireThinking),
            },
            ManyAnswers = options.Choice("many-answers", ManyAnswers.Wrong),
        };
    }

    private static FormatReward Format(RewardOptions options) => new()
    {
        Template = options.Choice("template", FormatTemplate.ThinkAnswer),
        PromptOpensThink = options.Flag("prompt-opens-think", false),
    };

    private static LanguageConsistencyReward Language(RewardOptions options) => new()
    {
        Language = options.Text("language") ?? LanguageConsistencyReward.Auto,
        WholeText = options.Flag("whole-text", false),
    };
}
