using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace DeepSeekR1.Rewards;

/// <summary>A stretch of text in one script.</summary>
/// <param name="Text">As written.</param>
/// <param name="Script">Its script; Chinese characters in a sentence with kana are <see cref="Script.Kana"/>.</param>
/// <param name="Weight">How many words it is: 1, or more for a stretch of a script that writes no spaces.</param>
internal readonly record struct Word(string Text, Script Script, double Weight);

/// <summary>
/// Cuts prose into words. What belongs to no language is left out: code, LaTeX commands, numbers, units, symbols and function names, single
/// letters (variables), addresses, and names (one to three capitalised Latin words that stand alone).
/// </summary>
internal static partial class Words
{
    /// <summary>Mean length of a word in running text, for scripts that write no spaces (measured against English on parallel text).</summary>
    private const double HanPerWord = 1.5, KanaPerWord = 2.2, ThaiPerWord = 4;

    /// <summary>A stretch this short is one word, as in text that was cut into words before ("三月 是 十二").</summary>
    private const int LongestSingleWord = 3;

    /// <summary>More capitalised words in a row than this are a shouted sentence and not a name.</summary>
    private const int LongestName = 3;

    private static readonly HashSet<string> _neutral = new(
        ["sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "exp", "lim", "max", "min", "mod", "gcd", "lcm", "det", "sqrt", "frac", "deg", "pi",
         "km", "cm", "mm", "kg", "mg", "ml", "km/h", "mph"],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>The words of a text in their order.</summary>
    public static List<Word> Split(string text)
    {
        string prose = Commands().Replace(Addresses().Replace(Code().Replace(text, " "), " "), " ");
        var words = new List<Word>();
        foreach (var sentence in Sentences(prose)) words.AddRange(MergeJapanese(Runs(prose[sentence])));
        List<Word> unnamed = [.. WithoutNames(words).Where(word => !IsNeutral(word))];
        words.RemoveAll(IsNeutral);
        // Where names would be the greater part of a text, its words hide behind capitals.
        return 2 * unnamed.Sum(word => word.Weight) >= words.Sum(word => word.Weight) ? unnamed : words;
    }

    private static IEnumerable<Range> Sentences(string text)
    {
        int start = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] is not ('。' or '！' or '？' or '!' or '?' or '\n' or '.' or ';' or '；')) continue;
            yield return start..i;
            start = i + 1;
        }
        yield return start..text.Length;
    }

    /// <summary>Maximal stretches of letters of one script. Marks, digits, underscores, inner apostrophes and hyphens belong to the stretch.</summary>
    private static List<(string Text, Script Script)> Runs(string sentence)
    {
        var runs = new List<(string, Script)>();
        int start = 0;
        var script = Script.None;
        for (int i = 0; i < sentence.Length;)
        {
            Rune.DecodeFromUtf16(sentence.AsSpan(i), out var rune, out int length);
            var next = Scripts.Of(rune);
            bool goesOn = script != Script.None && (next == script || IsMark(rune) || (next == Script.None && Joins(sentence, i)));
            if (!goesOn)
            {
                if (script != Script.None) runs.Add((sentence[start..i], script));
                (start, script) = (i, next);
            }
            i += length;
        }
        if (script != Script.None) runs.Add((sentence[start..], script));
        return runs;
    }

    private static bool IsMark(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    private static bool Joins(string text, int i) =>
        text[i] == '_' || char.IsAsciiDigit(text[i]) || (text[i] is '\'' or '’' or '-' && i + 1 < text.Length && char.IsLetter(text[i + 1]));

    /// <summary>In a sentence with kana the Chinese characters are Japanese too, and both scripts make one stretch.</summary>
    private static IEnumerable<Word> MergeJapanese(List<(string Text, Script Script)> runs)
    {
        bool isJapanese = runs.Exists(run => run.Script == Script.Kana);
        foreach (var (text, script) in runs)
        {
            var actual = isJapanese && script == Script.Han ? Script.Kana : script;
            yield return new Word(text, actual, Weight(text, actual));
        }
    }

    private static double Weight(string text, Script script) => script switch
    {
        Script.Han => Count(text, HanPerWord),
        Script.Kana => text.EnumerateRunes().Count(Rune.IsLetter) / KanaPerWord,
        Script.Thai => Count(text, ThaiPerWord),
        _ => 1,
    };

    private static double Count(string text, double lettersPerWord)
    {
        int letters = text.EnumerateRunes().Count(Rune.IsLetter);
        return letters <= LongestSingleWord ? 1 : letters / lettersPerWord;
    }

    /// <summary>Drops stretches of one to three Latin words that are all capitalised.</summary>
    private static IEnumerable<Word> WithoutNames(List<Word> words)
    {
        for (int i = 0; i < words.Count;)
        {
            int end = i + 1;
            while (end < words.Count && words[end].Script == Script.Latin && words[i].Script == Script.Latin) end++;
            bool isName = words[i].Script == Script.Latin && end - i <= LongestName && words[i..end].TrueForAll(word => char.IsUpper(word.Text[0]));
            for (; i < end; i++)
                if (!isName) yield return words[i];
        }
    }

    private static bool IsNeutral(Word word) =>
        word.Script is Script.Latin or Script.Greek && (word.Text.Length == 1 || word.Text.Any(char.IsAsciiDigit) || _neutral.Contains(word.Text));

    /// <summary>A fence that never closes is prose: else it would hide all that follows.</summary>
    [GeneratedRegex(@"```.*?```|`[^`\n]*`", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Code();

    /// <summary>Of ASCII characters, as addresses are written: without spaces a whole Chinese text would be one.</summary>
    [GeneratedRegex(@"https?://[!-~]+", RegexOptions.CultureInvariant)]
    private static partial Regex Addresses();

    /// <summary>LaTeX commands and environments; what stands in \text{…} is prose and stays.</summary>
    [GeneratedRegex(@"\\(?:begin|end)\s*\{[a-zA-Z*]*\}|\\[a-zA-Z]+", RegexOptions.CultureInvariant)]
    private static partial Regex Commands();
}
