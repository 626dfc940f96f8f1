namespace DeepSeekR1.Rewards;

/// <summary>
/// Tells languages in Latin letters apart, which characters alone cannot. The package <c>DeepSeekR1.Rewards.Lingua</c> brings one. Safe to call
/// from many threads.
/// </summary>
public interface ILatinLanguageDetector
{
    /// <summary>The share, 0 to 1, of the words that are in a language.</summary>
    /// <param name="words">At least one word, in the order of the text.</param>
    /// <param name="language">A language's primary tag, such as <c>en</c>.</param>
    /// <exception cref="ArgumentException">The detector does not know the language.</exception>
    double Share(IReadOnlyList<string> words, string language);

    /// <summary>The primary tag of the language of a whole text; null where it cannot say.</summary>
    /// <param name="words">In the order of the text.</param>
    string? Detect(IReadOnlyList<string> words);
}
