namespace DeepSeekR1.Rewards;

/// <summary>Languages by the script that they are written in.</summary>
internal static class Languages
{
    /// <summary>The first language of each script is the one that <see cref="Detect"/> names.</summary>
    private static readonly (Script Script, string[] Languages)[] _table =
    [
        (Script.Latin,
        [
            "en", "de", "fr", "es", "pt", "it", "nl", "sv", "da", "nb", "nn", "no", "fi", "pl", "cs", "sk", "sl", "hr", "hu", "ro", "et", "lv", "lt",
            "tr", "vi", "id", "ms", "tl", "sw", "ca", "eu", "gl", "af", "sq", "ga", "cy", "is", "la",
        ]),
        (Script.Han, ["zh", "yue"]),
        (Script.Kana, ["ja"]),
        (Script.Hangul, ["ko"]),
        (Script.Arabic, ["ar", "fa", "ur"]),
        (Script.Cyrillic, ["ru", "uk", "bg", "be", "mk"]),
        (Script.Greek, ["el"]),
        (Script.Hebrew, ["he", "yi"]),
        (Script.Thai, ["th"]),
        (Script.Devanagari, ["hi", "mr", "ne"]),
    ];

    /// <summary>The primary subtag: <c>zh</c> of <c>zh-Hans-CN</c>.</summary>
    public static string Primary(string tag)
    {
        int end = tag.AsSpan().IndexOfAny('-', '_');
        return (end < 0 ? tag : tag[..end]).ToLowerInvariant();
    }

    /// <summary>The script of a BCP 47 language tag; null for a language that is not in the table.</summary>
    public static Script? ScriptOf(string tag)
    {
        string language = Primary(tag);
        foreach (var (script, languages) in _table)
            if (languages.Contains(language)) return script;
        return null;
    }

    /// <summary>The language that a text's commonest script suggests; null for a text without words or in a script of no known language.</summary>
    public static string? Detect(string text)
    {
        var commonest = Words.Split(text).GroupBy(word => word.Script).MaxBy(group => group.Sum(word => word.Weight))?.Key;
        foreach (var (script, languages) in _table)
            if (script == commonest) return languages[0];
        return null;
    }
}
