using DeepSeekR1.Data;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Training;

/// <summary>
/// Group Relative Policy Optimization (Shao et al. 2024, arXiv 2402.03300; DeepSeek-R1, section 2.1). <see cref="StepAsync"/> reads as
/// the algorithm does: prompts → rollout groups → scored groups → credit → updates → report.
/// </summary>
public sealed class GrpoTrainer : Trainer<GrpoConfig, GrpoStepReport>
{
    private readonly PolicyModel _policy;
    private readonly WeightedRewards _rewards;
    private readonly ulong _seed;
    private readonly TimeProvider _time;
    private readonly AddressedRandom _orderRandom;
    private GroupCollector _collector = null!;
    private CreditAssignment _credit = null!;
    private ComparedPolicies _compared = null!;
    private LrSchedule _schedule = null!;
    private GrpoUpdate _update = null!;
    private ReferenceModel? _reference;

    /// <summary>A trainer of this policy, which stays the caller's.</summary>
    /// <param name="policy">The model that learns.</param>
    /// <param name="rewards">What its completions are paid for.</param>
    /// <param name="config">The algorithm.</param>
    /// <param name="seed">Of the rollouts and of all orders.</param>
    /// <param name="time">Clock of the phases; null: the system's.</param>
    /// <exception cref="R1Exception">The model has no parameter that is trained, or cannot do what the configuration asks for (bitwise, referenceMixup).</exception>
    public GrpoTrainer(PolicyModel policy, WeightedRewards rewards, GrpoConfig config, ulong seed = 1, TimeProvider? time = null)
        : base(policy, Optimizer.For(policy.Model, Checked(policy, config).Optimizer), config)
    {
        (_policy, _rewards, _seed, _time) = (policy, rewards, seed, time ?? TimeProvider.System);
        _orderRandom = new AddressedRandom(seed, RandomPurpose.Order);
        Configure();
    }

    /// <summary>The prompt at each position of training, from 0; a pure function. <see cref="TrainAsync"/> sets it, too.</summary>
    public Func<int, Prompt> Prompts { get; set; } = _ => throw new InvalidOperationException("the trainer has no prompts: pass them to TrainAsync, or set Prompts");

    /// <summary>Hears of the rollouts of a step as they end; called between two tokens.</summary>
    public IProgress<RolloutProgress>? RolloutProgress { get; set; }

    /// <inheritdoc/>
    public override int TotalSteps => Config.Steps;

    private protected override ReferenceModel? Reference => _reference;

    /// <summary>Trains on these prompts until the configured number of steps, each pass over them in a random order of its own; one report a step.</summary>
    /// <inheritdoc cref="StepAsync" path="/exception"/>
    public IAsyncEnumerable<GrpoStepReport> TrainAsync(IReadOnlyList<Prompt> prompts, CancellationToken cancellationToken = default)
    {
        var schedule = new PromptSchedule(prompts.Count, _seed);
        Prompts = position => prompts[schedule.IndexAt(position)];
        return TrainAsync(cancellationToken);
    }

    /// <summary>One step: sample a group for each prompt, score it, decide each token's credit, update the policy.</summary>
    /// <exception cref="R1Exception">Loss or gradient stays NaN, or no group carries a signal, for longer than is tolerated; or a prompt is too long.</exception>
    /// <exception cref="RewardFailureException">A reward failed on too many completions.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public override async Task<GrpoStepReport> StepAsync(CancellationToken cancellationToken = default)
    {
        var clock = new PhaseClock(_time);

        var (scored, prompts) = await _collector.CollectAsync(Step, State.Prompts, Prompts, RolloutProgress, clock, cancellationToken);

        var reference = Config.Loss.NeedsReference ? _reference : null;
        var (paid, kl) = _compared.Charge(scored, _credit, reference);
        int[] order = _orderRandom.Permutation(scored.Sum(group => group.Scores.Count), step: Step);
        var credited = _credit.Assign(paid, Config.MiniBatches, order);
        var minibatches = _compared.Attach(credited.Steps, reference);
        clock.Mark("logprobs");

        var updates = Update(minibatches, clock);

        State = State.After(scored, prompts, Config.ToleratedStepsWithoutSignal);
        ReplaceReferenceWhenDue();
        string[] names = [.. _rewards.Items.Select(item => item.Reward.Name)];
        return new GrpoStepReport(Step, Metrics(scored, names, updates, kl), clock.Seconds, scored, credited.Advantages, names);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _reference?.Dispose();
        base.Dispose(disposing);
    }

    private protected override void Configure()
    {
        Checked(_policy, Config);
        _collector = new GroupCollector(_policy, _rewards, Config, new AddressedRandom(_seed, RandomPurpose.Rollout));
        _credit = new CreditAssignment(Config.Loss, Config.Sampling.MaxNewTokens, [.. _rewards.Items.Select(item => item.Weight)]);
        _compared = new ComparedPolicies(_policy, Config);
        _schedule = new LrSchedule(Config.Schedule, Config.Optimizer.LearningRate, Config.Steps);
        _update = new GrpoUpdate(_policy.Model, StateOfOptimizer, Config.Loss, Config.Sampling.Temperature, Config.Batching) { Values = _compared.Values };
        // A reference that is needed from now on is the policy as it is now.
        if (Config.Loss.NeedsReference) _reference ??= new ReferenceModel(_policy.Model);
    }

    private protected override GrpoConfig WithoutFixed(GrpoConfig asked) => asked with { Optimizer = WithoutFixed(asked.Optimizer, Config.Optimizer) };

    /// <summary>The configuration, if the policy can do what it asks for; before anything is made of it.</summary>
    private static GrpoConfig Checked(PolicyModel policy, GrpoConfig config)
    {
        if (config.ReferenceMixup < 1 && policy.Model.Adapter is not null)
            throw new R1Exception($"grpo.referenceMixup is {config.ReferenceMixup}, but an adapter is trained: mixtures of its factors are no mixtures of what they multiply to. Set it to 1.");
        if (config.Bitwise) SamplerScorer.Require(policy.Decoder());
        return config;
    }

    private List<UpdateReport> Update(IReadOnlyList<IReadOnlyList<TrainingSample>> minibatches, PhaseClock clock)
    {
        var updates = new List<UpdateReport>();
        for (int epoch = 0; epoch < Config.InnerEpochs; epoch++)
            foreach (var samples in minibatches)
            {
                bool isPolicyOld = updates.All(update => update.Outcome != UpdateOutcome.Applied);
                updates.Add(_update.Step(_compared.ForUpdate(samples, isPolicyOld), _schedule.At(Step), State.EntropyBonus(Config.Loss), clock));
                State = State.After(updates[^1], Config.ToleratedSkips).AfterEntropy(updates[^1], Config.Loss);
                _policy.WeightsChanged();
            }
        return updates;
    }

    private void ReplaceReferenceWhenDue()
    {
        if (_reference is null || Config.ReferenceReplacedEvery == 0 || Step % Config.ReferenceReplacedEvery != 0) return;
        _reference.Replace(Config.ReferenceMixup);
    }

    private Dictionary<string, double> Metrics(ScoredGroup[] scored, string[] rewardNames, List<UpdateReport> updates, double? kl)
    {
        var metrics = RolloutMetrics.Of(scored, rewardNames);
        foreach (var (name, value) in RewardStatistics.Measure(_rewards, [.. scored.SelectMany(group => group.Scores)])) metrics[name] = value;
        foreach (var (name, value) in UpdateReport.Mean(updates)) metrics[name] = value;
        if (kl is { } charged) metrics["kl"] = charged;
        if (Config.Loss.HasEntropyBonus) metrics["entropy_coef"] = State.Entropy?.Coefficient ?? Config.Loss.EntropyBonus;
        if (_policy.RolloutMemory.Halvings is > 0 and var halvings) metrics["memory/rollout_halvings"] = halvings;
        metrics["num_tokens"] = State.Tokens;
        metrics["num_prompts"] = State.Prompts;
        return metrics;
    }
}
