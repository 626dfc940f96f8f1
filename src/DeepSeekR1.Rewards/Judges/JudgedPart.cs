namespace DeepSeekR1.Rewards;

/// <summary>What of a completion a judge is shown.</summary>
public enum JudgedPart
{
    /// <summary>What follows the reasoning: helpfulness is judged on the final answer only, so that reasoning stays free (DeepSeek-R1, section 2.3.4).</summary>
    Answer,
    /// <summary>Reasoning and answer: harm is looked for everywhere.</summary>
    Whole,
}

/// <summary>Cuts completions for judges.</summary>
public static class JudgedParts
{
    /// <summary>The part of a completion's text. Reasoning that never ends has no answer; the whole text is one where there is no reasoning.</summary>
    public static string Of(this JudgedPart part, Completion completion)
    {
        ArgumentNullException.ThrowIfNull(completion);
        if (part == JudgedPart.Whole) return completion.Text;
        if (ThinkTags.AfterThinking(completion.Text) is { } answer) return answer.Trim();
        return completion.Text.Contains(ThinkTags.ThinkOpen, StringComparison.Ordinal) ? "" : completion.Text;
    }
}
