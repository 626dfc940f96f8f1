using System.Runtime.CompilerServices;
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
    private readonly TimeProvider _time;
    private readonly AddressedRandom _orderRandom;
    private readonly GroupCollector _collector;
    private readonly CreditAssignment _credit;
    private readonly ComparedPolicies _compared;
    private readonly IOptimizer _optimizer;
    private readonly LrSchedule _schedule;
    private readonly GrpoUpdate _update;
    private readonly ReferenceModel? _reference;
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
        (_policy, _rewards, _config, _time) = (policy, rewards, config, time ?? TimeProvider.System);
        _collector = new GroupCollector(policy, rewards, config, prompts, new AddressedRandom(seed, RandomPurpose.Rollout));
        _orderRandom = new AddressedRandom(seed, RandomPurpose.Order);
        _credit = new CreditAssignment(config.Loss, config.Sampling.MaxNewTokens, [.. rewards.Items.Select(item => item.Weight)]);
        _compared = new ComparedPolicies(policy.Model, config);
        _optimizer = Optimizer.For(policy.Model, config.Optimizer);
        _schedule = new LrSchedule(config.Schedule, config.Optimizer.LearningRate, config.Steps);
        _update = new GrpoUpdate(policy.Model, _optimizer, config.Loss, config.Sampling.Temperature, config.Batching);
        _reference = config.Loss.NeedsReference ? new ReferenceModel(policy.Model) : null;
    }

    /// <inheritdoc/>
    public int Step => _state.Step;

    /// <inheritdoc/>
    public int TotalSteps => _config.Steps;

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

        var (scored, prompts) = await _collector.CollectAsync(Step, _state.Prompts, clock, cancellationToken);

        int[] order = _orderRandom.Permutation(scored.Sum(group => group.Scores.Count), step: Step);
        var credited = _credit.Assign(scored, _config.MiniBatches, order);
        var minibatches = _compared.Attach(credited.Steps, _reference);
        clock.Mark("logprobs");

        var updates = Update(minibatches, clock);

        _state = _state.After(scored, prompts, _config.ToleratedStepsWithoutSignal);
        ReplaceReferenceWhenDue();
        string[] names = [.. _rewards.Items.Select(item => item.Reward.Name)];
        return new GrpoStepReport(Step, Metrics(scored, names, updates), clock.Seconds, scored, credited.Advantages, names);
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

    private List<UpdateReport> Update(IReadOnlyList<IReadOnlyList<TrainingSample>> minibatches, PhaseClock clock)
    {
        var updates = new List<UpdateReport>();
        for (int epoch = 0; epoch < _config.InnerEpochs; epoch++)
            foreach (var samples in minibatches)
            {
                updates.Add(_update.Step(_compared.ForUpdate(samples, isFirst: updates.Count == 0), _schedule.At(Step), clock));
                _state = _state.After(updates[^1], _config.ToleratedSkips);
            }
        _policy.WeightsChanged();
        return updates;
    }

    private void ReplaceReferenceWhenDue()
    {
        if (_reference is null || _config.ReferenceReplacedEvery == 0 || Step % _config.ReferenceReplacedEvery != 0) return;
        _reference.Replace();
    }

    private Dictionary<string, double> Metrics(ScoredGroup[] scored, string[] rewardNames, List<UpdateReport> updates)
    {
        var metrics = RolloutMetrics.Of(scored, rewardNames);
        foreach (var (name, value) in RewardStatistics.Measure(_rewards, [.. scored.SelectMany(group => group.Scores)])) metrics[name] = value;
        foreach (var (name, value) in UpdateReport.Mean(updates)) metrics[name] = value;
        metrics["num_tokens"] = _state.Tokens;
        metrics["num_prompts"] = _state.Prompts;
        return metrics;
    }
}
