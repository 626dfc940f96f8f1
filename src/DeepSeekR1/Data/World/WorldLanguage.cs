namespace DeepSeekR1.Data.World;

/// <summary>The two languages of the world.</summary>
public enum WorldLanguage
{
    /// <summary>English.</summary>
    English,
    /// <summary>Chinese, its words separated by spaces.</summary>
    Chinese,
}

/// <summary>What one says about a language.</summary>
public static class WorldLanguageExtensions
{
    /// <summary>Its BCP 47 tag: <c>en</c> or <c>zh</c>.</summary>
    public static string Tag(this WorldLanguage language) => language == WorldLanguage.English ? "en" : "zh";

    internal static WorldLanguage Other(this WorldLanguage language) =>
        language == WorldLanguage.English ? WorldLanguage.Chinese : WorldLanguage.English;
}

/// <summary>A word, or a few, in both languages.</summary>
internal readonly record struct Word(string English, string Chinese)
{
    public string In(WorldLanguage language) => language == WorldLanguage.English ? English : Chinese;
}

/// <summary>How an author puts a word: in one language or, for those who mix, in one drawn anew for each word.</summary>
internal delegate string Voice(Word word);
