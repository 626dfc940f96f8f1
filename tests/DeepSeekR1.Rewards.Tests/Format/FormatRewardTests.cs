using DeepSeekR1.Testing;
using static DeepSeekR1.Rewards.Tests.Scoring;

namespace DeepSeekR1.Rewards.Tests;

public class FormatRewardTests
{
    [Theory]
    [InlineData("<think> start 7 . </think> <answer> 5 </answer>", 1.0)]
    [InlineData("<think>\na\n</think>\n\n<answer>\nb\n</answer>\n", 1.0)]
    [InlineData("<think>a</think><answer>b</answer>", 1.0)]
    [InlineData("", 0.0)]
    [InlineData("a", 0.0)]
    [InlineData("<think> </think> <answer> 5 </answer>", 0.0)]
    [InlineData("<think> a </think> <answer> </answer>", 0.0)]
    [InlineData("<think>\u200b\u2060\ufeff</think> <answer> 5 </answer>", 0.0)]
    [InlineData("<think> a </think> <answer>\0\u00ad</answer>", 0.0)]
    [InlineData("<think> a </think> <answer> 5 </answer> <answer> 6 </answer>", 0.0)]
    [InlineData("<think> a </think> <think> b </think> <answer> 5 </answer>", 0.0)]
    [InlineData("<answer> <think> a </think> 5 </answer>", 0.0)]
    [InlineData("so <think> a </think> <answer> 5 </answer>", 0.0)]
    [InlineData("<think> a </think> so <answer> 5 </answer>", 0.0)]
    [InlineData("<think> a </think> <answer> 5 </answer> done", 0.0)]
    [InlineData("<think> <think> a </think> <answer> 5 </answer>", 0.0)]
    [InlineData("<think> a </think> </think> <answer> 5 </answer>", 0.0)]
    [InlineData("<think> a <answer> 5 </answer> </think>", 0.0)]
    [InlineData("<answer> 5 </answer> <think> a </think>", 0.0)]
    [InlineData("</think> a <think> <answer> 5 </answer>", 0.0)]
    [InlineData("<think> a </think> <answer> 5", 0.0)]
    [InlineData("<THINK> a </THINK> <answer> 5 </answer>", 0.0)]
    public async Task Think_answer(string text, double expected) => Assert.Equal(expected, await Of(new FormatReward(), text));

    [Theory]
    [InlineData("<think>a</think>b", 1.0)]
    [InlineData("<think>a</think> ", 0.0)]
    [InlineData("<think></think>b", 0.0)]
    [InlineData("x<think>a</think>b", 0.0)]
    [InlineData("<think>a</think>b</think>c", 0.0)]
    [InlineData("</think>a<think>b", 0.0)]
    public async Task Think(string text, double expected) =>
        Assert.Equal(expected, await Of(new FormatReward { Template = FormatTemplate.Think }, text));

    [Theory]
    [InlineData("<think>\na\n</think>\n<answer>\nb\n</answer>", 1.0)]
    [InlineData("<think>\n\n</think>\n<answer>\n\n</answer>", 1.0)]
    [InlineData("<think>\na\n</think>\n<answer>\nb\n</answer>\nmore", 1.0)]
    [InlineData("<think>\n<think>\na\n</think>\n<answer>\nb\n</answer>", 1.0)]
    [InlineData("<think>\na\n</think>\n<answer>\nb\n</answer> more\n</answer>", 1.0)]
    [InlineData("<think>\n</think>\n<answer>\nb\n</answer>", 0.0)]
    [InlineData("<think>\na\n</think>\n\n<answer>\nb\n</answer>", 0.0)]
    [InlineData("<think>\na\n</think>\n<answer>\nb\n</answer> more", 0.0)]
    [InlineData("\n<think>\na\n</think>\n<answer>\nb\n</answer>", 0.0)]
    [InlineData("<think> a </think> <answer> b </answer>", 0.0)]
    public async Task Open_r1(string text, double expected) =>
        Assert.Equal(expected, await Of(new FormatReward { Template = FormatTemplate.OpenR1 }, text));

    [Fact]
    public async Task Trl_equals_golden()
    {
        var reward = new FormatReward { Template = FormatTemplate.Trl };
        foreach (var row in Rows(Reference.Golden("rewards", "format.jsonl")))
            Assert.True(row.GetProperty("think_format").GetDouble() == await Of(reward, row.GetProperty("text").GetString()!), row.ToString());
    }

    [Fact]
    public async Task The_prompt_may_have_opened_the_block() =>
        Assert.Equal(1.0, await Of(new FormatReward { PromptOpensThink = true }, "a </think> <answer> 5 </answer>"));

    [Fact]
    public async Task A_completion_that_was_cut_off_has_no_end() =>
        Assert.Equal(0.0, await Of(new FormatReward(), "<think> a </think> <answer> 5 </answer>", isTruncated: true));
}
