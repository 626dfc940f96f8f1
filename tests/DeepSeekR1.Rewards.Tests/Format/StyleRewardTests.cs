using static DeepSeekR1.Rewards.Tests.Scoring;

namespace DeepSeekR1.Rewards.Tests;

public class StyleRewardTests
{
    [Theory]
    [InlineData("<think> a </think> <answer> b </answer>", 1.0, 0.0)]
    [InlineData("<think>\na\n</think> <answer>\nb\n</answer>", 1.0, 0.5)]
    [InlineData("<think>\na\n</think>\n\n<answer>\nb\n</answer>", 1.0, 1.0)]
    [InlineData("<think> <think> a </think>", 0.25, 0.0)]
    [InlineData("", 0.0, 0.0)]
    public async Task Tag_count(string text, double bare, double ownLines)
    {
        Assert.Equal(bare, await Of(new TagCountReward(), text));
        Assert.Equal(ownLines, await Of(new TagCountReward { OwnLines = true }, text));
    }

    [Theory]
    [InlineData("1. a\n2. b\n3. c", 1.0, 1.0 / 3)]
    [InlineData("- a\n- b", 2.0 / 3, 1.0 / 3)]
    [InlineData("Step 1: a Step 2: b", 2.0 / 3, 2.0 / 3)]
    [InlineData("First, a. Next, b. Finally, c. Second, d.", 1.0, 1.0)]
    [InlineData("首先 7 . 接着 5 . 最后 4 .", 1.0, 0.0)]
    [InlineData("a", 0.0, 0.0)]
    public async Task Reasoning_steps(string text, double ours, double openR1)
    {
        Assert.Equal(ours, (await Of(new ReasoningStepsReward(), text))!.Value, 12);
        Assert.Equal(openR1, (await Of(new ReasoningStepsReward { OpenR1 = true }, text))!.Value, 12);
    }
}
