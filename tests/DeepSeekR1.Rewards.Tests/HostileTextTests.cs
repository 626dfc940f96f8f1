using System.Diagnostics;
using static DeepSeekR1.Rewards.Tests.Scoring;

namespace DeepSeekR1.Rewards.Tests;

/// <summary>No text, however long or odd, makes a reward slow or throw.</summary>
public class HostileTextTests
{
    private const int Length = 100_000;

    private static readonly WeightedRewards _all = RewardRegistry.Default.Parse(
        "accuracy", "accuracy:as=lenient,only-after-thinking=false", "format", "format:as=open_r1,template=open-r1", "format:as=trl,template=trl", "language",
        "tag_count", "reasoning_steps", "cosine_length:unit=characters", "group_length:unit=characters", "repetition:unit=words");

    [Theory]
    [InlineData("", @"\boxed{")]
    [InlineData("", @"\boxed{1}")]
    [InlineData("", @"\text{")]
    [InlineData("", "the answer is ")]
    [InlineData("the answer", " ")]
    [InlineData("the answer is 5,", " ")]
    [InlineData("答案", "\n")]
    [InlineData("", "<answer>")]
    [InlineData("", "<answer></answer>")]
    [InlineData("", "<answer>a</answer>")]
    [InlineData("<think>\n", "\n</think>\n<answer>\n")]
    [InlineData("<think>\na\n</think>\n<answer>\n", "\n</answer> ")]
    [InlineData("", "####")]
    [InlineData("", "1,234,")]
    [InlineData("", "1")]
    [InlineData("<answer>", "$")]
    [InlineData("", "```")]
    [InlineData("", "a.")]
    [InlineData("", "A ")]
    [InlineData("", "a@")]
    [InlineData("", "好")]
    [InlineData("", "は漢")]
    [InlineData("", "\ud800")]
    [InlineData("", "\u0301")]
    [InlineData("", "https://")]
    [InlineData("", "- ")]
    [InlineData("", "\0")]
    public async Task Takes_linear_time(string start, string piece)
    {
        string text = start + string.Concat(Enumerable.Repeat(piece, Length / piece.Length));
        if (start.EndsWith("<answer>", StringComparison.Ordinal)) text += "</answer>";
        long began = Stopwatch.GetTimestamp();
        var scores = await _all.ScoreAsync(Prompt("5", "zh"), [Completion(text), Completion(text[1..])]);
        var took = Stopwatch.GetElapsedTime(began);
        Assert.All(scores, score => Assert.All(score.ByReward, verdict => Assert.Null(verdict.Failure)));

        // A quadratic step would take minutes; the bound leaves room for a busy machine.
        Assert.True(took < TimeSpan.FromSeconds(5), $"took {took}");
    }
}
