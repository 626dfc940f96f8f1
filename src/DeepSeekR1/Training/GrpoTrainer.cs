using System.Runtime.CompilerServices;
using DeepSeekR1.Models;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Training;

/// <summary>
/// Group Relative Policy Optimization (Shao et al. 2024, arXiv 2402.03300; DeepSeek-R1, section 2.1). <see cref="StepAsync"/> reads as
/// the algorithm does: prompts → rollout groups → scored groups → credit → updates → report.
/// </summary>
public sealed class GrpoTrainer : ITrainer
{
    private readonly PolicyModel _policy;
    private readonly WeightedRewards _rewards;
    private readonly GrpoConfig _config;
    private readonly Func<int, Prompt> _prompts;
    private readonly TimeProvider _time;
    private readonly AddressedRandom _rolloutRandom, _orderRandom;
    private readonly CreditAssignment _credit;
    private readonly IOptimizer _optimizer;
    private readonly LrSchedule _schedule;
    private readonly GrpoUpdate _update;
    private CausalLM? _reference;
    private TrainerState _state = new();

    /// <summary>A trainer of this policy, which stays the caller's.</summary>
    /// <param name="policy">The model that learns.</param>
    /// <param name="rewards">What its completions are paid for.</param>
    /// <param name="config">The algorithm.</param>
    /// <param name="prompts">The prompt at each position of training, from 0; a pure function.</param>
    /// <param name="seed">Of the rollouts and of their order.</param>
    /// <param name="time">Clock of the phases; null: the system's.</param>
    /// <exception cref="R1Exception">The model has no parameter that is trained.</exception>
    public GrpoTrainer(PolicyModel policy, WeightedRewards rewards, GrpoConfig config, Func<int, Prompt> prompts, ulong seed = 1, TimeProvider? time = null)
    {
        (_policy, _rewards, _config, _prompts, _time) = (policy, rewards, config, prompts, time ?? TimeProvider.System);
        _rolloutRandom = new AddressedRandom(seed, RandomPurpose.Rollout);
        _orderRandom = new AddressedRandom(seed, RandomPurpose.Order);
        _credit = new CreditAssignment(config.Loss, config.Sampling.MaxNewTokens, [.. rewards.Items.Select(item => item.Weight)]);
        _optimizer = Optimizer.For(policy.Model, config.Optimizer);
        _schedule = new LrSchedule(config.Schedule, config.Optimizer.LearningRate, config.Steps);
        _update = new GrpoUpdate(policy.Model, _optimizer, config.Loss, config.Sampling.Temperature, config.Batching);
        _reference = config.Loss.NeedsReference ? policy.Model.Copy(trainable: false) : null;
    }

    /// <inheritdoc/>
    public int Step => _state.Step;

    /// <inheritdoc/>
    public int TotalSteps => _config.Steps;

    private string[] RewardNames => [.. _rewards.Items.Select(item => item.Reward.Name)];

    /// <summary>Trains until the configured number of steps, one report a step.</summary>
    /// <inheritdoc cref="StepAsync" path="/exception"/>
    public async IAsyncEnumerable<GrpoStepReport> TrainAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (Step < TotalSteps) yield return await StepAsync(cancellationToken);
    }

    /// <summary>One step: sample a group for each prompt, score it, decide each token's credit, update the policy.</summary>
    /// <exception cref="R1Exception">Loss or gradient stays NaN, or no group carries a signal, for longer than is tolerated; or a prompt is too long.</exception>
    /// <exception cref="RewardFailureException">A reward failed on too many completions.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<GrpoStepReport> StepAsync(CancellationToken cancellationToken = default)
    {
        var clock = new PhaseClock(_time);

        var groups = Sample(cancellationToken);
        clock.Mark("rollout");

        var scored = await ScoreAsync(groups, cancellationToken);
        clock.Mark("rewards");

        int[] order = _orderRandom.Permutation(groups.Sum(group => group.Rollouts.Count), step: Step);
        var credited = _credit.Assign(scored, _config.MiniBatches, order);
        var minibatches = WithLogProbs(credited.Steps);
        clock.Mark("logprobs");

        var updates = Update(minibatches);
        clock.Mark("update");

        Advance(scored);
        return new GrpoStepReport(Step, Metrics(scored, updates), clock.Seconds, scored, credited.Advantages, RewardNames);
    }

    /// <inheritdoc/>
    async Task<StepReport> ITrainer.StepAsync(CancellationToken cancellationToken) => await StepAsync(cancellationToken);

    /// <inheritdoc/>
    public void Save(string folder) => _state.Save(folder, _policy, _optimizer, _reference);

    /// <inheritdoc/>
    public void Restore(string folder) => _state = TrainerState.Restore(folder, _optimizer, _reference);

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimizer.Dispose();
        _reference?.Dispose();
    }

    private RolloutGroup[] Sample(CancellationToken cancellationToken)
    {
        int first = Step * _config.PromptsPerStep;
        EncodedPrompt[] prompts = [.. Enumerable.Range(first, _config.PromptsPerStep).Select(position => _policy.Encode(_prompts(position), position))];
        return _policy.Engine(_config.Limits).Generate(
            prompts, _config.GroupSize, _config.Sampling, new RolloutAddress(_rolloutRandom, Step), cancellationToken: cancellationToken);
    }

    private async Task<ScoredGroup[]> ScoreAsync(RolloutGroup[] groups, CancellationToken cancellationToken)
    {
        var scored = new ScoredGroup[groups.Length];
        for (int i = 0; i < groups.Length; i++)
        {
            Completion[] completions = [.. groups[i].Rollouts.Select(rollout => rollout.Completion)];
            scored[i] = new ScoredGroup(groups[i], await _rewards.ScoreAsync(groups[i].Prompt.Prompt, completions, cancellationToken));
        }
        RewardStatistics.ThrowIfTooManyFailed(_rewards, [.. scored.SelectMany(group => group.Scores)], _config.ToleratedRewardFailures);
        return scored;
    }

    /// <summary>Adds what the loss compares with: the old policy where several updates follow, the reference model where KL is paid.</summary>
    private IReadOnlyList<IReadOnlyList<TrainingSample>> WithLogProbs(IReadOnlyList<IReadOnlyList<TrainingSample>> minibatches)
    {
        bool needsOld = minibatches.Count * _config.InnerEpochs > 1;
        var old = needsOld && _config.OldPolicy == OldPolicy.Recomputed ? Scorer(_policy.Model) : null;
        var reference = _reference is null ? null : Scorer(_reference);
        return [.. minibatches.Select(samples =>
        {
            float[][]? oldLogProbs = old?.LogProbs(samples), referenceLogProbs = reference?.LogProbs(samples);
            return (IReadOnlyList<TrainingSample>)[.. samples.Select((sample, i) => sample with
            {
                OldLogProbs = !needsOld ? default : oldLogProbs is null ? sample.SamplerLogProbs : oldLogProbs[i],
                ReferenceLogProbs = referenceLogProbs is null ? default : referenceLogProbs[i],
            })];
        })];
    }

    private SequenceScorer Scorer(CausalLM model) => new(model, _config.Sampling.Temperature, _config.Batching);

    private List<UpdateReport> Update(IReadOnlyList<IReadOnlyList<TrainingSample>> minibatches)
    {
        var updates = new List<UpdateReport>();
        for (int epoch = 0; epoch < _config.InnerEpochs; epoch++)
            foreach (var samples in minibatches)
            {
                updates.Add(_update.Step(samples, _schedule.At(Step)));
                _state = _state.After(updates[^1], _config.ToleratedSkips);
            }
        _policy.WeightsChanged();
        return updates;
    }

    private void Advance(ScoredGroup[] scored)
    {
        int withoutSignal = scored.Any(RolloutMetrics.HasSignal) ? 0 : _state.WithoutSignalInARow + 1;
        if (_config.ToleratedStepsWithoutSignal > 0 && withoutSignal >= _config.ToleratedStepsWithoutSignal)
            throw new R1Exception($"No group had two different scores in {withoutSignal} steps in a row, so there is nothing to learn from: every completion of a prompt is paid the same " +
                $"(mean {scored.SelectMany(group => group.Scores).Average(score => score.Total ?? 0):0.###}). Take prompts that the model solves sometimes, a larger groupSize or temperature, or a cold start first.");
        long tokens = scored.Sum(group => group.Group.Rollouts.Sum(rollout => (long)rollout.PromptIds.Length + rollout.Ids.Length));
        _state = _state with { Step = Step + 1, Tokens = _state.Tokens + tokens, WithoutSignalInARow = withoutSignal };

        if (_reference is null || _config.ReferenceReplacedEvery == 0 || Step % _config.ReferenceReplacedEvery != 0) return;
        _reference.Dispose();
        _reference = _policy.Model.Copy(trainable: false);
    }

    private Dictionary<string, double> Metrics(ScoredGroup[] scored, List<UpdateReport> updates)
    {
        var metrics = RolloutMetrics.Of(scored, RewardNames);
        foreach (var (name, value) in RewardStatistics.Measure(_rewards, [.. scored.SelectMany(group => group.Scores)])) metrics[name] = value;
        foreach (var (name, value) in UpdateReport.Mean(updates)) metrics[name] = value;
        metrics["num_tokens"] = _state.Tokens;
        return metrics;
    }
}
