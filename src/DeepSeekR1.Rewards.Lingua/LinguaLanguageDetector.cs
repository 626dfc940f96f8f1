using Lingua;

namespace DeepSeekR1.Rewards.Lingua;

/// <summary>
/// Tells languages in Latin letters apart by Lingua's n-gram models, a few words at a time. A model is loaded when it is first needed (about 30 MB
/// a language); some 15 ms for 200 words.
/// </summary>
public sealed class LinguaLanguageDetector : ILatinLanguageDetector
{
    /// <summary>Words judged together: enough for an n-gram model to be sure, few enough to find where the language changes.</summary>
    private const int WordsTogether = 5;

    private readonly IReadOnlyDictionary<Language, string> _tags;
    private readonly LanguageDetector _detector;

    /// <summary>A detector that chooses between the given languages.</summary>
    /// <param name="languages">At least two primary tags such as <c>en</c>; null takes en, de, fr, es, it, pt and nl.</param>
    /// <exception cref="ArgumentException">A tag is unknown to Lingua, or there are fewer than two.</exception>
    public LinguaLanguageDetector(IEnumerable<string>? languages = null)
    {
        _tags = (languages ?? ["en", "de", "fr", "es", "it", "pt", "nl"]).Distinct().ToDictionary(LanguageOf);
        if (_tags.Count < 2) throw new ArgumentException("give at least two languages to tell apart", nameof(languages));
        _detector = LanguageDetectorBuilder.FromLanguages([.. _tags.Keys]).Build();
    }

    /// <inheritdoc/>
    public double Share(IReadOnlyList<string> words, string language)
    {
        ArgumentNullException.ThrowIfNull(words);
        var wanted = LanguageOf(language);
        if (!_tags.ContainsKey(wanted))
            throw new ArgumentException($"language '{language}' is not among those to tell apart: {string.Join(", ", _tags.Values)}", nameof(language));
        int found = words.Chunk(WordsTogether).Where(chunk => LanguageOfWords(chunk) == wanted).Sum(chunk => chunk.Length);
        return (double)found / words.Count;
    }

    /// <inheritdoc/>
    public string? Detect(IReadOnlyList<string> words)
    {
        ArgumentNullException.ThrowIfNull(words);
        return _tags.GetValueOrDefault(LanguageOfWords(words));
    }

    private Language LanguageOfWords(IEnumerable<string> words) => _detector.DetectLanguageOf(string.Join(' ', words));

    private static Language LanguageOf(string tag)
    {
        foreach (var language in LanguageInfo.All())
            if (string.Equals(LanguageInfo.IsoCode6391(language).ToString(), tag, StringComparison.OrdinalIgnoreCase)) return language;
        throw new ArgumentException($"language '{tag}' is unknown: give a two-letter code such as en", nameof(tag));
    }
}
