using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Training;

/// <summary>
/// Samples and scores the groups of a step. Where more than one round is allowed, groups that teach nothing (all scores equal) are
/// replaced by groups of further prompts, as far as the rounds go (dynamic sampling: DAPO, arXiv 2503.14476, eq. 11).
/// </summary>
internal sealed class GroupCollector(PolicyModel policy, WeightedRewards rewards, GrpoConfig config, Func<int, Prompt> prompts, AddressedRandom random)
{
    /// <summary>As many groups as the step has prompts, and how many prompts were drawn for them.</summary>
    /// <param name="step">Part of the address of the draws.</param>
    /// <param name="firstPrompt">Prompts drawn before.</param>
    /// <param name="clock">Books the time of both phases.</param>
    /// <param name="cancellationToken">Checked at every token.</param>
    public async Task<(ScoredGroup[] Groups, int PromptsDrawn)> CollectAsync(int step, int firstPrompt, PhaseClock clock, CancellationToken cancellationToken)
    {
        var (teaching, flat) = (new List<ScoredGroup>(), new List<ScoredGroup>());
        int drawn = 0;
        for (int round = 0; round < config.SamplingRounds && teaching.Count < config.PromptsPerStep; round++)
        {
            int missing = config.PromptsPerStep - teaching.Count;
            var groups = Sample(step, firstPrompt + drawn, missing, clock, cancellationToken);
            drawn += missing;
            clock.Mark("rollout");
            foreach (var scored in await ScoreAsync(groups, cancellationToken)) (RolloutMetrics.HasSignal(scored) ? teaching : flat).Add(scored);
            clock.Mark("rewards");
        }
        // What could not be replaced stands as it is, so that a step keeps its size.
        return ([.. teaching.Concat(flat.Take(config.PromptsPerStep - teaching.Count)).OrderBy(group => group.Group.Prompt.Index)], drawn);
    }

    private RolloutGroup[] Sample(int step, int firstPrompt, int count, PhaseClock clock, CancellationToken cancellationToken)
    {
        EncodedPrompt[] encoded = [.. Enumerable.Range(firstPrompt, count).Select(position => policy.Encode(prompts(position), position))];
        var engine = policy.Engine(config.Limits);
        clock.Mark("sync");
        return engine.Generate(encoded, config.GroupSize, config.Sampling, new RolloutAddress(random, step), cancellationToken: cancellationToken);
    }

    private async Task<ScoredGroup[]> ScoreAsync(RolloutGroup[] groups, CancellationToken cancellationToken)
    {
        var scores = await Task.WhenAll(groups.Select(group =>
            rewards.ScoreAsync(group.Prompt.Prompt, [.. group.Rollouts.Select(rollout => rollout.Completion)], cancellationToken).AsTask()));
        RewardStatistics.ThrowIfTooManyFailed(rewards, [.. scores.SelectMany(group => group)], config.ToleratedRewardFailures);
        return [.. groups.Zip(scores, (group, ofGroup) => new ScoredGroup(group, ofGroup))];
    }
}
