namespace DeepSeekR1.Rewards.Lingua;

/// <summary>Makes Lingua known to configs and command lines.</summary>
public static class LinguaRewards
{
    /// <summary>
    /// The same registry, in which <c>language</c> understands <c>latin=lingua</c>: languages in Latin letters are told apart, and
    /// <c>latin-languages=en+de</c> says which.
    /// </summary>
    public static RewardRegistry WithLingua(this RewardRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        return registry.With("language", options => new LanguageConsistencyReward
        {
            Language = options.Text("language") ?? LanguageConsistencyReward.Auto,
            WholeText = options.Flag("whole-text", false),
            LatinDetector = ReadDetector(options),
        });
    }

    private static LinguaLanguageDetector? ReadDetector(RewardOptions options)
    {
        string[]? languages = options.Text("latin-languages")?.Split('+', StringSplitOptions.TrimEntries);
        return options.Text("latin") switch
        {
            null => null,
            "lingua" => new LinguaLanguageDetector(languages),
            var other => throw new FormatException($"reward 'language': option 'latin' is '{other}', expected lingua"),
        };
    }
}
