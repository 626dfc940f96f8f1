using System.Text.Json;
using DeepSeekR1.Testing;
using static DeepSeekR1.Rewards.Tests.Scoring;

namespace DeepSeekR1.Rewards.Tests;

public class LengthRewardTests
{
    private const double Tolerance = 1e-12;
    private static readonly IReward _right = Reward.From("right", (_, _) => 1.0);

    [Fact]
    public async Task Soft_overlong_equals_golden()
    {
        foreach (var row in Rows(Reference.Golden("rewards", "tokens.jsonl")))
            foreach (var expected in row.GetProperty("overlong").EnumerateObject())
            {
                int[] parameters = [.. expected.Name.Split(',').Select(int.Parse)];
                await AssertEqual(expected.Value, new SoftOverlongReward(parameters[0], parameters[1]), OfTokens(row.GetProperty("ids")));
            }
    }

    [Fact]
    public async Task Repetition_of_tokens_equals_golden()
    {
        foreach (var row in Rows(Reference.Golden("rewards", "tokens.jsonl")))
            foreach (var expected in row.GetProperty("repetition").EnumerateObject())
            {
                string[] parameters = expected.Name.Split(',');
                await AssertEqual(expected.Value, new RepetitionReward(int.Parse(parameters[0]), double.Parse(parameters[1])), OfTokens(row.GetProperty("ids")));
            }
    }

    [Fact]
    public async Task Cosine_equals_golden()
    {
        foreach (var row in Rows(Reference.Golden("rewards", "cosine.jsonl")))
        {
            var parameters = row.GetProperty("parameters");
            bool canJudge = row.GetProperty("score").ValueKind != JsonValueKind.Null;
            double truth = row.GetProperty("correct").GetBoolean() ? 1 : 0;
            var reward = new CosineLengthReward(Reward.From("truth", (_, _) => canJudge ? truth : RewardScore.Abstain("no reference")))
            {
                MaxLength = parameters.GetProperty("max_len").GetInt32(),
                MinWrong = parameters.GetProperty("min_value_wrong").GetDouble(),
                MaxWrong = parameters.GetProperty("max_value_wrong").GetDouble(),
                MinCorrect = parameters.GetProperty("min_value_correct").GetDouble(),
                MaxCorrect = parameters.GetProperty("max_value_correct").GetDouble(),
            };
            await AssertEqual(row.GetProperty("score"), reward, Completion("", row.GetProperty("length").GetInt32()));
        }
    }

    [Fact]
    public async Task Cosine_counts_characters_when_asked()
    {
        var reward = new CosineLengthReward(_right) { MaxLength = 4, Unit = LengthUnit.Characters };
        Assert.Equal(0.75, (await Of(reward, "ab"))!.Value, Tolerance);
        Assert.Equal(0.5, (await Of(reward, "abcdefgh"))!.Value, Tolerance);
    }

    [Fact]
    public async Task Group_length_follows_Kimi()
    {
        var accuracy = Reward.From("accuracy", (_, completion) => completion.Text == "right" ? 1.0 : completion.Text == "wrong" ? 0.0 : RewardScore.Abstain("?"));
        Completion[] group = [Completion("right", 10), Completion("right", 30), Completion("wrong", 10), Completion("wrong", 30), Completion("?", 20), Completion("right", 15)];
        var scores = await new GroupLengthReward(accuracy).ScoreGroupAsync(Prompt(), group);
        Assert.Equal([0.5, -0.5, 0.0, -0.5, null, 0.25], scores.Select(score => score.Value));

        var even = await new GroupLengthReward(accuracy).ScoreGroupAsync(Prompt(), [Completion("right", 10), Completion("wrong", 10)]);
        Assert.Equal([0.0, 0.0], even.Select(score => score.Value));
        Assert.Empty(await new GroupLengthReward(accuracy).ScoreGroupAsync(Prompt(), []));
    }

    [Theory]
    [InlineData("a b c a b c", 3, -0.25)]
    [InlineData("A b a B", 2, -1.0 / 3)]
    [InlineData("a b", 3, 0.0)]
    [InlineData("", 1, 0.0)]
    [InlineData("好好好好", 1, -0.75)]
    [InlineData("三月 三月", 2, -1.0 / 3)]
    public async Task Repetition_of_words(string text, int size, double expected) =>
        Assert.Equal(expected, (await Of(new RepetitionReward(size) { Unit = RepetitionUnit.Words }, text))!.Value, Tolerance);

    [Fact]
    public async Task Where_only_the_text_is_known_tokens_are_not_judged()
    {
        Assert.Null(await Of(new SoftOverlongReward(10, 2), "text"));
        Assert.Null(await Of(new RepetitionReward(), "text"));
        Assert.Null(await Of(new CosineLengthReward(_right), "text"));
        Assert.Null((await new GroupLengthReward(_right).ScoreGroupAsync(Prompt(), [Completion("text")]))[0].Value);
    }

    [Fact]
    public void Impossible_settings_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new RepetitionReward(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RepetitionReward(3, 0.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SoftOverlongReward(10, 11));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CosineLengthReward(_right) { MaxLength = 0 });
    }

    private static Completion OfTokens(JsonElement ids)
    {
        int[] tokens = [.. ids.EnumerateArray().Select(id => id.GetInt32())];
        return new Completion { Text = "", TokenIds = tokens, TokenCount = tokens.Length };
    }

    private static async Task AssertEqual(JsonElement expected, IReward reward, Completion completion)
    {
        double? actual = (await reward.ScoreAsync(Prompt(), completion)).Value;
        if (expected.ValueKind == JsonValueKind.Null) Assert.Null(actual);
        else Assert.InRange(actual!.Value - expected.GetDouble(), -Tolerance, Tolerance);
    }
}
