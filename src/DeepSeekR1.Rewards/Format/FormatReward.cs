using System.Globalization;
using System.Text;
using static DeepSeekR1.Rewards.ThinkTags;

namespace DeepSeekR1.Rewards;

/// <summary>Which shape <see cref="FormatReward"/> asks for.</summary>
public enum FormatTemplate
{
    /// <summary>
    /// <c>&lt;think&gt;…&lt;/think&gt; &lt;answer&gt;…&lt;/answer&gt;</c>: both filled, each tag once, nothing outside but white space,
    /// and the completion came to its own end (the template of DeepSeek-R1-Zero, table 1 of the paper).
    /// </summary>
    ThinkAnswer,

    /// <summary>
    /// <c>&lt;think&gt;…&lt;/think&gt; …</c>: a filled think block first, then a filled answer without tags; each tag once; the completion
    /// came to its own end (the template of DeepSeek-R1).
    /// </summary>
    Think,

    /// <summary>TRL's <c>think_format_reward</c>: begins with the only opening tag, and a closing one follows; blocks may be empty.</summary>
    Trl,

    /// <summary>
    /// open-r1's <c>format_reward</c>: each tag on its own line, exactly one line break between the blocks. As there, empty and nested
    /// blocks pass, and so does anything after a line that ends with <c>&lt;/answer&gt;</c>.
    /// </summary>
    OpenR1,
}

/// <summary>1 when the completion has the asked shape, else 0.</summary>
public sealed class FormatReward : IReward
{
    /// <inheritdoc/>
    public string Name => "format";

    /// <summary>The asked shape.</summary>
    public FormatTemplate Template { get; init; } = FormatTemplate.ThinkAnswer;

    /// <summary>True when the prompt already ends with the opening think tag, so that the completion begins inside the block.</summary>
    public bool PromptOpensThink { get; init; }

    /// <inheritdoc/>
    public ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(completion);
        return ValueTask.FromResult(Score(completion));
    }

    private RewardScore Score(Completion completion)
    {
        string text = PromptOpensThink ? ThinkOpen + completion.Text : completion.Text;
        string? defect = Template switch
        {
            FormatTemplate.ThinkAnswer => completion.IsTruncated ? "cut off" : DefectOfThinkAnswer(text),
            FormatTemplate.Think => completion.IsTruncated ? "cut off" : DefectOfThink(text),
            FormatTemplate.Trl => FollowsTrl(text) ? null : "not TRL's think format",
            FormatTemplate.OpenR1 => FollowsOpenR1(text) ? null : "not open-r1's format",
            _ => throw new InvalidOperationException($"unknown template {Template}"),
        };
        return defect is null ? new RewardScore(1) : new RewardScore(0, defect);
    }

    private static string? DefectOfThinkAnswer(string text)
    {
        foreach (string tag in (string[])[ThinkOpen, ThinkClose, AnswerOpen, AnswerClose])
            if (Count(text, tag) is not 1 and var times) return $"{tag} {times} times";

        int open = text.IndexOf(ThinkOpen, StringComparison.Ordinal), close = text.IndexOf(ThinkClose, StringComparison.Ordinal);
        int answer = text.IndexOf(AnswerOpen, StringComparison.Ordinal), end = text.IndexOf(AnswerClose, StringComparison.Ordinal);
        if (!(open < close && close < answer && answer < end)) return "tags out of order";
        if (IsBlank(text, open + ThinkOpen.Length, close)) return "empty reasoning";
        if (IsBlank(text, answer + AnswerOpen.Length, end)) return "empty answer";
        bool isBare = IsBlank(text, 0, open) && IsBlank(text, close + ThinkClose.Length, answer) && IsBlank(text, end + AnswerClose.Length, text.Length);
        return isBare ? null : "text outside the blocks";
    }

    private static string? DefectOfThink(string text)
    {
        foreach (string tag in (string[])[ThinkOpen, ThinkClose])
            if (Count(text, tag) is not 1 and var times) return $"{tag} {times} times";

        int open = text.IndexOf(ThinkOpen, StringComparison.Ordinal), close = text.IndexOf(ThinkClose, StringComparison.Ordinal);
        if (open > close) return "tags out of order";
        if (!IsBlank(text, 0, open)) return "text before the reasoning";
        if (IsBlank(text, open + ThinkOpen.Length, close)) return "empty reasoning";
        return IsBlank(text, close + ThinkClose.Length, text.Length) ? "empty answer" : null;
    }

    private static bool FollowsTrl(string text) =>
        text.StartsWith(ThinkOpen, StringComparison.Ordinal) && Count(text, ThinkOpen) == 1 && text.Contains(ThinkClose, StringComparison.Ordinal);

    private static bool FollowsOpenR1(string text)
    {
        const string Open = "<think>\n", Between = "\n</think>\n<answer>\n", Close = "\n</answer>";
        if (!text.StartsWith(Open, StringComparison.Ordinal)) return false;
        int between = text.IndexOf(Between, Open.Length, StringComparison.Ordinal);
        if (between < 0) return false;
        for (int from = between + Between.Length; ; from++)
        {
            from = text.IndexOf(Close, from, StringComparison.Ordinal);
            if (from < 0) return false;
            int end = from + Close.Length;
            if (end == text.Length || text[end] == '\n') return true;
        }
    }

    /// <summary>Nothing that anybody could see: white space and characters without width are blank.</summary>
    private static bool IsBlank(string text, int start, int end)
    {
        foreach (Rune rune in text.AsSpan(start, end - start).EnumerateRunes())
            if (!Rune.IsWhiteSpace(rune) && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Format or UnicodeCategory.Control or UnicodeCategory.OtherNotAssigned)) return false;
        return true;
    }

    private static int Count(string text, string tag) => text.AsSpan().Count(tag);
}
