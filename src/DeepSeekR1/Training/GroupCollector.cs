using DeepSeekR1.Configuration;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Training;

/// <summary>
/// Samples and scores the groups of a step. A group is scored as soon as its last rollout has ended, on threads of the pool, while the
/// others are still sampled. Where more than one round is allowed, groups that teach nothing (all scores equal) are replaced by groups of
/// further prompts, as far as the rounds go (dynamic sampling: DAPO, arXiv 2503.14476, eq. 11).
/// </summary>
internal sealed class GroupCollector(PolicyModel policy, WeightedRewards rewards, GrpoConfig config, AddressedRandom random)
{
    /// <summary>As many groups as the step has prompts, and how many prompts were drawn for them.</summary>
    /// <param name="step">Part of the address of the draws.</param>
    /// <param name="firstPrompt">Prompts drawn before.</param>
    /// <param name="prompts">The prompt at each position.</param>
    /// <param name="progress">Hears of rollouts that end.</param>
    /// <param name="clock">Books the time of both phases; of the rewards, what sampling did not cover.</param>
    /// <param name="cancellationToken">Checked at every token.</param>
    public async Task<(ScoredGroup[] Groups, int PromptsDrawn)> CollectAsync(
        int step, int firstPrompt, Func<int, Prompt> prompts, IProgress<RolloutProgress>? progress, PhaseClock clock, CancellationToken cancellationToken)
    {
        var (teaching, flat) = (new List<ScoredGroup>(), new List<ScoredGroup>());
        int drawn = 0;
        for (int round = 0; round < config.SamplingRounds && teaching.Count < config.PromptsPerStep; round++)
        {
            int first = firstPrompt + drawn, missing = config.PromptsPerStep - teaching.Count;
            EncodedPrompt[] encoded = [.. Enumerable.Range(first, missing).Select(position => policy.Encode(prompts(position), position))];
            drawn += missing;
            foreach (var scored in await ScoreWhileSamplingAsync(encoded, step, progress, clock, cancellationToken)) (RolloutMetrics.HasSignal(scored) ? teaching : flat).Add(scored);
            clock.Mark("rewards");
        }
        // What could not be replaced stands as it is, so that a step keeps its size.
        return ([.. teaching.Concat(flat.Take(config.PromptsPerStep - teaching.Count)).OrderBy(group => group.Group.Prompt.Index)], drawn);
    }

    private async Task<ScoredGroup[]> ScoreWhileSamplingAsync(EncodedPrompt[] prompts, int step, IProgress<RolloutProgress>? progress, PhaseClock clock, CancellationToken cancellationToken)
    {
        using var scoring = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pending = new List<Task<ScoredGroup>>(prompts.Length);
        try
        {
            var engine = policy.Engine(config.Limits);
            clock.Mark("sync");
            engine.Generate(
                prompts, config.GroupSize, config.Sampling, new RolloutAddress(random, step), progress: progress, onGroup: group => pending.Add(Begin(group, scoring.Token)),
                onPhase: phase => clock.Mark(EnumNames.Name(phase)), cancellationToken: cancellationToken);
        }
        catch
        {
            await scoring.CancelAsync();
            await Task.WhenAll(pending).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw;
        }
        var groups = await Task.WhenAll(pending);
        RewardStatistics.ThrowIfTooManyFailed(rewards, [.. groups.SelectMany(group => group.Scores)], config.ToleratedRewardFailures);
        return [.. groups.OrderBy(group => group.Group.Prompt.Index)];
    }

    private Task<ScoredGroup> Begin(RolloutGroup group, CancellationToken cancellationToken) => Task.Run(
        async () => new ScoredGroup(group, await rewards.ScoreAsync(group.Prompt.Prompt, [.. group.Rollouts.Select(rollout => rollout.Completion)], cancellationToken)), cancellationToken);
}
