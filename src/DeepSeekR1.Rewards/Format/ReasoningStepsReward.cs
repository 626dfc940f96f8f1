using System.Text.RegularExpressions;

namespace DeepSeekR1.Rewards;

/// <summary>
/// min(1, n / <see cref="WantedSteps"/>) for n marks of a step: "Step 1:", a line that begins with "1." or a bullet, "First,", "Second,",
/// "Next,", "Finally," and their Chinese counterparts. Easy to please without reasoning: give it a small weight.
/// </summary>
public sealed partial class ReasoningStepsReward : IReward
{
    /// <inheritdoc/>
    public string Name => "reasoning_steps";

    /// <summary>How many marks earn the whole reward; at least 1.</summary>
    public int WantedSteps { get; init; } = 3;

    /// <summary>
    /// True: exactly open-r1's <c>reasoning_steps_reward</c>, whose pattern sees a number with a full stop at the start of the text only.
    /// </summary>
    public bool OpenR1 { get; init; }

    /// <inheritdoc/>
    public ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(completion);
        int steps = (OpenR1 ? OpenR1Marks() : Marks()).Count(completion.Text);
        return ValueTask.FromResult(new RewardScore(Math.Min(1.0, (double)steps / Math.Max(1, WantedSteps)), $"{steps} steps"));
    }

    [GeneratedRegex(
        @"Step \d+:|^\d+\.|^[-*]|First,|Second,|Next,|Finally,|第[一二三四五六七八九十\d]+步|首先|其次|接着|最后",
        RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Marks();

    [GeneratedRegex(@"Step \d+:|^\d+\.|\n-|\n\*|First,|Second,|Next,|Finally,", RegexOptions.CultureInvariant)]
    private static partial Regex OpenR1Marks();
}
