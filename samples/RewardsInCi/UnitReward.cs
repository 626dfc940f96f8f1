using DeepSeekR1.Rewards;

namespace RewardsInCi;

/// <summary>A reward of your own: the answer must carry the unit that the data set's row asks for. Rows without a unit are not judged.</summary>
public sealed class UnitReward : IReward
{
    public string Name => "unit";

    public ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default)
    {
        if (!prompt.Fields.TryGetValue("unit", out var field) || field.GetString() is not { Length: > 0 } unit)
            return new(RewardScore.Abstain("the row names no unit"));
        string[] words = JudgedPart.Answer.Of(completion).Split((char[])[' ', '.', ',', '<', '>'], StringSplitOptions.RemoveEmptyEntries);
        return new(words.Contains(unit) ? new RewardScore(1, $"has {unit}") : new RewardScore(0, $"no {unit}"));
    }
}
