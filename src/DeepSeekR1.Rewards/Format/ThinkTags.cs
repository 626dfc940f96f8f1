namespace DeepSeekR1.Rewards;

/// <summary>The tags of the think/answer template and the parts that they cut a completion into.</summary>
internal static class ThinkTags
{
    public const string ThinkOpen = "<think>";
    public const string ThinkClose = "</think>";
    public const string AnswerOpen = "<answer>";
    public const string AnswerClose = "</answer>";

    /// <summary>The text after the last <c>&lt;/think&gt;</c>; null when there is none.</summary>
    public static string? AfterThinking(string text)
    {
        int close = text.LastIndexOf(ThinkClose, StringComparison.Ordinal);
        return close < 0 ? null : text[(close + ThinkClose.Length)..];
    }

    /// <summary>
    /// The reasoning: between the think tags, whichever of the two are there; without tags everything but the
    /// <c>&lt;answer&gt;</c> blocks.
    /// </summary>
    public static string Reasoning(string text)
    {
        int open = text.IndexOf(ThinkOpen, StringComparison.Ordinal);
        int start = open < 0 ? 0 : open + ThinkOpen.Length;
        int close = text.LastIndexOf(ThinkClose, StringComparison.Ordinal);
        if (close >= start) return text[start..close];
        return open >= 0 ? text[start..] : WithoutAnswerBlocks(text);
    }

    /// <summary>The contents of each closed <c>&lt;answer&gt;</c> block, in order.</summary>
    public static IReadOnlyList<string> AnswerBlocks(string text)
    {
        var blocks = new List<string>();
        for (int from = 0; NextAnswerBlock(text, from) is { } block; from = block.End + AnswerClose.Length)
            blocks.Add(text[(block.Start + AnswerOpen.Length)..block.End]);
        return blocks;
    }

    private static string WithoutAnswerBlocks(string text)
    {
        int from = 0;
        var kept = new System.Text.StringBuilder(text.Length);
        for (; NextAnswerBlock(text, from) is { } block; from = block.End + AnswerClose.Length)
            kept.Append(text, from, block.Start - from);
        return kept.Append(text, from, text.Length - from).ToString();
    }

    /// <summary>The next block: the last opening tag before the next closing one, so that a stray opening tag hides nothing.</summary>
    private static (int Start, int End)? NextAnswerBlock(string text, int from)
    {
        int first = text.IndexOf(AnswerOpen, from, StringComparison.Ordinal);
        int end = first < 0 ? -1 : text.IndexOf(AnswerClose, first, StringComparison.Ordinal);
        if (end < 0) return null;
        return (text.LastIndexOf(AnswerOpen, end, end - first + 1, StringComparison.Ordinal), end);
    }
}
