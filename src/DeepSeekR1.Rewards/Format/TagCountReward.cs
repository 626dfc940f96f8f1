using static DeepSeekR1.Rewards.ThinkTags;

namespace DeepSeekR1.Rewards;

/// <summary>A quarter for each of the four template tags that occurs exactly once: partial credit on the way to the whole format.</summary>
public sealed class TagCountReward : IReward
{
    private static readonly string[] _tags = [ThinkOpen, ThinkClose, AnswerOpen, AnswerClose];
    private static readonly string[] _tagsOnOwnLines = ["<think>\n", "\n</think>\n", "\n<answer>\n", "\n</answer>"];

    /// <inheritdoc/>
    public string Name => "tag_count";

    /// <summary>True: only tags on lines of their own count, as in open-r1's <c>tag_count_reward</c>.</summary>
    public bool OwnLines { get; init; }

    /// <inheritdoc/>
    public ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(completion);
        string text = completion.Text;
        int once = (OwnLines ? _tagsOnOwnLines : _tags).Count(tag => text.AsSpan().Count(tag) == 1);
        return ValueTask.FromResult(new RewardScore(once / 4.0, $"{once} of 4 tags once"));
    }
}
