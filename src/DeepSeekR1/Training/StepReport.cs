using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;

namespace DeepSeekR1.Training;

/// <summary>What one step of a trainer did.</summary>
/// <param name="Step">Steps done, this one included; from 1.</param>
/// <param name="Metrics">Numbers by TRL's names, the same in every run of a seed; docs/metrics.md explains each.</param>
/// <param name="Seconds">Where the time went, by phase.</param>
public record StepReport(int Step, IReadOnlyDictionary<string, double> Metrics, IReadOnlyDictionary<string, double> Seconds);

/// <summary>What one GRPO step did.</summary>
/// <param name="Step">Steps done, this one included; from 1.</param>
/// <param name="Metrics">Numbers by TRL's names, the same in every run of a seed; docs/metrics.md explains each.</param>
/// <param name="Seconds">Where the time went, by phase.</param>
/// <param name="Groups">The rollouts and their scores.</param>
/// <param name="Advantages">One for each rollout, in the order of the groups.</param>
/// <param name="RewardNames">Names of the rewards, in the order of the scores.</param>
public sealed record GrpoStepReport(
    int Step, IReadOnlyDictionary<string, double> Metrics, IReadOnlyDictionary<string, double> Seconds, IReadOnlyList<ScoredGroup> Groups, IReadOnlyList<double> Advantages, IReadOnlyList<string> RewardNames)
    : StepReport(Step, Metrics, Seconds)
{
    /// <summary>What judges cost and how long they were waited for (<see cref="RewardStatistics.Spent"/>): beside the phases, some of which the waiting overlaps.</summary>
    public IReadOnlyDictionary<string, double> Spent => RewardStatistics.Spent(RewardNames, [.. Groups.SelectMany(group => group.Scores)]);
}
