using static DeepSeekR1.Rewards.Tests.Scoring;

namespace DeepSeekR1.Rewards.Tests;

public class RewardRegistryTests
{
    [Fact]
    public async Task Makes_rewards_from_names_and_options()
    {
        var (reward, weight) = RewardRegistry.Default.Create("format:weight=0.5, template=open-r1");
        Assert.Equal(("format", 0.5), (reward.Name, weight));
        Assert.Equal(1.0, await Of(Assert.IsType<IReward>(reward, exactMatch: false), "<think>\na\n</think>\n<answer>\nb\n</answer>"));
    }

    [Fact]
    public async Task Several_rewards_score_together()
    {
        var rewards = RewardRegistry.Default.Parse("accuracy", "format:weight=0.5", "language:weight=0.25", "format:as=think_format,template=trl,weight=0");
        var scores = await rewards.ScoreAsync(Prompt("5", "en"), [Completion("<think> start 5 . </think> <answer> 5 </answer>")]);
        Assert.Equal(1.75, scores[0].Total);
        Assert.Equal(["accuracy", "format", "language", "think_format"], rewards.Items.Select(item => item.Reward.Name));
    }

    [Theory]
    [InlineData("acuracy", "there is no reward 'acuracy'; did you mean 'accuracy'?")]
    [InlineData("format:wieght=1", "reward 'format' has no option 'wieght'; did you mean 'weight'?")]
    [InlineData("language:language=xx", "language 'xx' is not known")]
    public void Wrong_names_are_errors(string specification, string message) =>
        Assert.StartsWith(message, Assert.ThrowsAny<ArgumentException>(() => RewardRegistry.Default.Create(specification)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("format:weight=abc", "reward 'format': option 'weight' is 'abc', expected a number")]
    [InlineData("format:weight=NaN", "reward 'format': option 'weight' is 'NaN', expected a number")]
    [InlineData("format:template=trll", "reward 'format': option 'template' is 'trll', expected one of think-answer, think, trl, open-r1")]
    [InlineData("soft_overlong", "reward 'soft_overlong': option 'max-length' is required")]
    [InlineData("format:weight", "'format:weight': 'weight' is not option=value")]
    [InlineData("format:weight=1,weight=2", "'format:weight=1,weight=2': option 'weight' is given twice")]
    [InlineData("accuracy:only-after-thinking=maybe", "reward 'accuracy': option 'only-after-thinking' is 'maybe', expected true or false")]
    public void Wrong_values_are_errors(string specification, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => RewardRegistry.Default.Create(specification)).Message);

    [Fact]
    public void Own_rewards_can_be_added()
    {
        var registry = RewardRegistry.Default.With("brief", options =>
        {
            int limit = options.Integer("tokens", 200);
            return Reward.From("brief", (_, completion) => completion.TokenCount < limit ? 1.0 : 0.0);
        });
        Assert.Equal("brief", registry.Create("brief:tokens=10").Reward.Name);
        Assert.Contains("brief", registry.Names);
        Assert.DoesNotContain("brief", RewardRegistry.Default.Names);
    }

    [Theory]
    [InlineData("tag-count:own-lines=true", "tag_count")]
    [InlineData("reasoning_steps:open-r1=true,wanted-steps=5", "reasoning_steps")]
    [InlineData("soft_overlong:max-length=100,buffer=20", "soft_overlong")]
    [InlineData("cosine_length:max-length=100,unit=characters,min-wrong=-10", "cosine_length")]
    [InlineData("group_length:unit=tokens,strategies=answer-tag+boxed", "group_length")]
    [InlineData("repetition:size=4,max-penalty=-0.5,unit=words,min=-0.1,timeout=2", "repetition")]
    public void All_rewards_have_a_name(string specification, string name) => Assert.Equal(name, RewardRegistry.Default.Create(specification).Reward.Name);
}
