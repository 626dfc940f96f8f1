using System.Text.Json;
using DeepSeekR1.Rewards;

namespace RewardsInCi;

/// <summary>What a reward must do before a model is trained on it: right is paid, wrong is not, doubt abstains, and cheating does not pay.</summary>
public class UnitRewardTests
{
    private static readonly Prompt _prompt = new()
    {
        Id = "walk:1",
        Text = "How far is it?",
        Answer = "12",
        Fields = new Dictionary<string, JsonElement> { ["unit"] = JsonSerializer.SerializeToElement("km") },
    };

    [Theory]
    [InlineData("<think> 3 times 4 </think> <answer> 12 km </answer>", 1)]
    [InlineData("<think> 3 times 4 </think> <answer> 12 </answer>", 0)]
    [InlineData("<think> in km , of course </think> <answer> 12 miles </answer>", 0)]
    public async Task The_unit_must_stand_in_the_answer(string text, double expected)
    {
        var score = await new UnitReward().ScoreAsync(_prompt, new Completion { Text = text }, TestContext.Current.CancellationToken);
        Assert.Equal(expected, score.Value);
    }

    [Fact]
    public async Task A_row_without_a_unit_is_not_judged()
    {
        var score = await new UnitReward().ScoreAsync(new Prompt { Id = "walk:2", Text = "How many?" }, new Completion { Text = "12 km" }, TestContext.Current.CancellationToken);
        Assert.Null(score.Value);
    }

    [Fact]
    public async Task Together_with_the_built_in_rewards_the_best_completion_wins()
    {
        var rewards = WeightedRewards.Of((new AccuracyReward(), 1), (new FormatReward(), 0.5), (new UnitReward(), 0.25));
        Completion[] completions =
        [
            new() { Text = "<think> 3 times 4 </think> <answer> 12 km </answer>" },
            new() { Text = "<think> 3 times 4 </think> <answer> 12 </answer>" },
            new() { Text = "<think> 3 plus 4 </think> <answer> 7 km </answer>" },
            new() { Text = "12 km" },
        ];
        var scores = await rewards.ScoreAsync(_prompt, completions, TestContext.Current.CancellationToken);
        Assert.Equal([1.75, 1.5, 0.75, 1.25], scores.Select(score => score.Total));
    }
}
