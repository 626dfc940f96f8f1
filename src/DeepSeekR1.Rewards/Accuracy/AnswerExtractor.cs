using System.Text.RegularExpressions;

namespace DeepSeekR1.Rewards;

/// <summary>Ways to find the answer in a text.</summary>
public enum AnswerStrategy
{
    /// <summary>The contents of <c>&lt;answer&gt;…&lt;/answer&gt;</c>.</summary>
    AnswerTag,

    /// <summary>The balanced argument of <c>\boxed{…}</c> or <c>\fbox{…}</c>.</summary>
    Boxed,

    /// <summary>What follows the last "the answer is", "Answer:", "答案是" (also German, French, Spanish), up to the end of the sentence.</summary>
    Phrase,

    /// <summary>What follows the last <c>####</c> on its line (GSM8K).</summary>
    HashMark,

    /// <summary>The last number of the text, where it stands alone and is no part of an expression, a list or a doubt.</summary>
    LastNumber,
}

/// <summary>What an <see cref="AnswerExtractor"/> found.</summary>
/// <param name="Text">The answer as written; the last one when there are several.</param>
/// <param name="Strategy">How it was found.</param>
/// <param name="Candidates">All answers of equal standing (several boxes, several answer blocks), <paramref name="Text"/> last.</param>
public sealed record ExtractedAnswer(string Text, AnswerStrategy Strategy, IReadOnlyList<string> Candidates);

/// <summary>
/// Finds the final answer in a completion: only the text after <c>&lt;/think&gt;</c> counts when there is one, and of that, what
/// follows the last marker of a final answer ("the answer is", <c>####</c>). Linear in the length of the text.
/// </summary>
public sealed partial record AnswerExtractor
{
    private const string HashMark = "####";

    /// <summary>Nobody looks further behind an answer for another.</summary>
    private const int LongestSecondThought = 200;

    /// <summary>Strategies in the order in which they are tried.</summary>
    public IReadOnlyList<AnswerStrategy> Strategies { get; init; } =
        [AnswerStrategy.AnswerTag, AnswerStrategy.Boxed, AnswerStrategy.Phrase, AnswerStrategy.HashMark, AnswerStrategy.LastNumber];

    /// <summary>
    /// True: a completion that opened <c>&lt;think&gt;</c> and never closed it has no answer, and neither has one with only reasoning. False: the
    /// strategies then read the whole text (useful for a base model that does not know the tags yet).
    /// </summary>
    public bool OnlyAfterThinking { get; init; } = true;

    /// <summary>True: a completion without <c>&lt;/think&gt;</c> has no answer (TRL's <c>reasoning_accuracy_reward</c>).</summary>
    public bool RequireThinking { get; init; }

    /// <summary>The answer of a completion; null when there is none.</summary>
    /// <param name="completion">One cut off by the length limit has only the answers that were written to their end.</param>
    public ExtractedAnswer? Extract(Completion completion)
    {
        ArgumentNullException.ThrowIfNull(completion);
        return Extract(completion.Text, isCutOff: completion.IsTruncated);
    }

    /// <summary>The answer of a finished text; null when there is none.</summary>
    public ExtractedAnswer? Extract(string text) => Extract(text, isCutOff: false);

    /// <summary>The reference answer inside a reference text, which may be a whole worked solution ("… #### 18", "… \boxed{18}").</summary>
    internal static string Gold(string text)
    {
        if (Boxes(text) is { Count: > 0 } boxes) return boxes[^1];
        return (AfterHashMark(text, isCutOff: false) is { } line ? text[line] : text).Trim();
    }

    private ExtractedAnswer? Extract(string text, bool isCutOff)
    {
        ArgumentNullException.ThrowIfNull(text);
        string? after = ThinkTags.AfterThinking(text);
        if (after is null && RequireThinking) return null;
        bool isAllReasoning = after is null && text.Contains(ThinkTags.ThinkOpen, StringComparison.Ordinal);

        var answer = isAllReasoning && OnlyAfterThinking ? null : Find(after ?? text, isCutOff);
        bool mayLookBack = after is not null && !OnlyAfterThinking && ThinkTags.AnswerBlocks(after).Count == 0;
        return answer is null && mayLookBack ? Find(text, isCutOff) : answer;
    }

    /// <summary>The first strategy that finds its marker decides, even when nothing follows the marker.</summary>
    private ExtractedAnswer? Find(string text, bool isCutOff)
    {
        foreach (var strategy in Strategies)
        {
            var candidates = Candidates(text, strategy, isCutOff);
            if (candidates.Count > 0)
                return string.IsNullOrWhiteSpace(candidates[^1]) ? null : new ExtractedAnswer(candidates[^1], strategy, candidates);
        }
        return null;
    }

    private List<string> Candidates(string text, AnswerStrategy strategy, bool isCutOff) => strategy switch
    {
        AnswerStrategy.AnswerTag => [.. ThinkTags.AnswerBlocks(text).SelectMany(InsideAnswerTag)],
        AnswerStrategy.Boxed => FinalBoxes(text),
        AnswerStrategy.Phrase => WithSecondThought(text, AfterPhrase(text, isCutOff)),
        AnswerStrategy.HashMark => WithSecondThought(text, AfterHashMark(text, isCutOff)),
        AnswerStrategy.LastNumber => !isCutOff && LastNumber.Find(text) is { } number ? [number] : [],
        _ => throw new InvalidOperationException($"unknown strategy {strategy}"),
    };

    /// <summary>An answer block may repeat a marker ("The answer is 5."); without one all of it is the answer.</summary>
    private List<string> InsideAnswerTag(string block)
    {
        var boxes = FinalBoxes(block);
        if (boxes.Count > 0) return boxes;
        var marked = WithSecondThought(block, AfterPhrase(block, isCutOff: false) ?? AfterHashMark(block, isCutOff: false));
        return marked.Count > 0 ? marked : [block.Trim()];
    }

    /// <summary>An answer and what takes it back: "5. Or 6." names two.</summary>
    private static List<string> WithSecondThought(string text, Range? answer)
    {
        if (answer is not { } first) return [];
        int end = first.End.Value;
        Match second = SecondThought().Match(text, end, Math.Min(text.Length - end, LongestSecondThought));
        return second.Success ? [text[first].Trim(), second.Groups["answer"].Value.Trim()] : [text[first].Trim()];
    }

    /// <summary>
    /// The boxes after the last marker of a final answer, or all where no marker is. None when a later marker names a number of its
    /// own: then the boxes before it were tries.
    /// </summary>
    private List<string> FinalBoxes(string text)
    {
        int phrase = Strategies.Contains(AnswerStrategy.Phrase) ? EndOfLastPhrase(text) : -1;
        int hash = Strategies.Contains(AnswerStrategy.HashMark) ? text.LastIndexOf(HashMark, StringComparison.Ordinal) : -1;
        var all = Boxes(text);
        bool hasMarker = Math.Max(phrase, hash) >= 0;
        if (all.Count == 0 && !hasMarker && BoxCommand().IsMatch(text)) return [""]; // A box that never closes holds no answer.
        if (all.Count == 0 || !hasMarker) return all;

        string final = text[Math.Max(phrase, hash)..];
        if (Boxes(final) is { Count: > 0 } marked) return marked;
        var named = hash > phrase ? AfterHashMark(text, isCutOff: false) : AfterPhrase(text, isCutOff: false);
        return named is { } range && text.AsSpan()[range].ContainsAnyInRange('0', '9') ? [] : all;
    }

    private static Range? AfterPhrase(string text, bool isCutOff)
    {
        int start = EndOfLastPhrase(text);
        if (start < 0) return null;
        while (start < text.Length && char.IsWhiteSpace(text[start])) start++;
        Match end = SentenceEnd().Match(text, start);
        return isCutOff && !end.Success ? null : start..(end.Success ? end.Index : text.Length);
    }

    private static int EndOfLastPhrase(string text)
    {
        int end = -1;
        foreach (ValueMatch match in Phrase().EnumerateMatches(text)) end = match.Index + match.Length;
        return end;
    }

    private static Range? AfterHashMark(string text, bool isCutOff)
    {
        int start = text.LastIndexOf(HashMark, StringComparison.Ordinal);
        if (start < 0) return null;
        start += HashMark.Length;
        while (start < text.Length && char.IsWhiteSpace(text[start])) start++;
        int end = text.IndexOf('\n', start);
        return isCutOff && end < 0 ? null : start..(end < 0 ? text.Length : end);
    }

    /// <summary>The arguments of all balanced boxes that are not inside another, in order.</summary>
    private static List<string> Boxes(string text)
    {
        var boxes = new List<string>();
        int scannedUpTo = 0;
        foreach (ValueMatch box in BoxCommand().EnumerateMatches(text))
        {
            if (box.Index < scannedUpTo) continue;
            int start = box.Index + box.Length, end = ClosingBrace(text, start);
            if (end < 0) break;
            boxes.Add(text[start..end].Trim());
            scannedUpTo = end;
        }
        return boxes;
    }

    private static int ClosingBrace(string text, int start)
    {
        int depth = 1;
        for (int i = start; i < text.Length; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == '{') depth++;
            else if (text[i] == '}' && --depth == 0) return i;
        }
        return -1;
    }

    // Runs of white space are bounded, so that nothing is quadratic. Spaces may stand between Chinese words: a word-level tokenizer writes "这个 答案 是 5".
    [GeneratedRegex(
        @"\banswer\s{0,4}(?:\*\*)?\s{0,4}(?:is\b|:|=)(?:\s{0,4}\*\*)?\s{0,4}:?|答案\s{0,4}(?:\*\*)?\s{0,4}(?:应该\s{0,4})?(?:是|为|為|:|：|等于)(?:\s{0,4}\*\*)?\s{0,4}[:：]?" +
        @"|\bAntwort\s{0,4}(?:ist|lautet|:)\s{0,4}:?|\bréponse\s{0,4}(?:finale\s{0,4})?(?:est|:)\s{0,4}:?|\brespuesta\s{0,4}(?:final\s{0,4})?(?:es|:)\s{0,4}:?",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Phrase();

    /// <summary>A line break, a full stop that is not inside a number, or a comma that begins another clause and no other answer, doubt or condition.</summary>
    [GeneratedRegex(
        @"[\n。！!；;]|\.(?!\d)|,(?=\s+\p{L})(?!\s+(?:(?:or|nor|but|if|unless|when|maybe|perhaps|possibly|otherwise|not)\b|and\s+[\d$\\(-]|[B-HJ-Z]\b))|，(?!或|但|如果|除非|也)",
        RegexOptions.CultureInvariant)]
    private static partial Regex SentenceEnd();

    /// <summary>"or 6", "alternatively: $6$", "no, it is 6" behind the end of an answer.</summary>
    [GeneratedRegex(
        @"\G[\s.。;；!！,，]*(?:(?:or|nor|no|alternatively|otherwise|maybe|perhaps|possibly|also|oder|ou|o)\b|或者?|也许|也可能)是?[\s,:]*(?:(?:maybe|perhaps|possibly|even|else|is|it\s+is|it['’]s|the\s+answer\s+is)\s+)*(?<answer>[$(*]*(?:[-−\d\\]|(?-i:[A-Z])\b)(?:[^\n.。;；!！,，]|[.,](?=\d))*)",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex SecondThought();

    [GeneratedRegex(@"\\(?:boxed|fbox)\s*\{", RegexOptions.CultureInvariant)]
    private static partial Regex BoxCommand();
}
