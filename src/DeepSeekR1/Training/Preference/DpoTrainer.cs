using DeepSeekR1.Checkpoints;
using DeepSeekR1.Data;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// Direct preference optimization (arXiv 2305.18290) on pairs of replies. The reference is the policy as it is when training begins; it scores
/// every reply once, before the first step, so that no second model is held.
/// </summary>
public sealed class DpoTrainer : Trainer<DpoConfig, StepReport>
{
    private const string ReferenceFile = "reference_logps.safetensors", Chosen = "chosen", Rejected = "rejected";

    private readonly PolicyModel _policy;
    private readonly TimeProvider _time;
    private readonly (EncodedExample Chosen, EncodedExample Rejected)[] _pairs;
    private readonly IEnumerator<int[]> _batches;
    private LrSchedule _schedule = null!;
    private DpoUpdate _update = null!;
    private (double[] Chosen, double[] Rejected)? _reference;

    /// <summary>A trainer of this policy, which stays the caller's.</summary>
    /// <param name="examples">Pairs; <see cref="DpoConfig.Truncation"/> says what becomes of those with a reply longer than the limit.</param>
    /// <param name="policy">The model that learns.</param>
    /// <param name="config">The algorithm.</param>
    /// <param name="seed">Of the order.</param>
    /// <param name="time">Clock of the phases; null: the system's.</param>
    /// <exception cref="R1Exception">No pair fits the limit, or the chat template refuses one.</exception>
    public DpoTrainer(IReadOnlyList<PreferenceExample> examples, PolicyModel policy, DpoConfig config, ulong seed = 1, TimeProvider? time = null)
        : base(policy, Optimizer.For(policy.Model, config.Optimizer), config)
    {
        (_policy, _time) = (policy, time ?? TimeProvider.System);
        var encoder = SftTrainer.Encoder(policy);
        int limit = Math.Min(config.MaxLength, policy.Model.Config.MaxPositions);
        _pairs = [.. examples.Select(example => Fit(Encode(example.Chosen), Encode(example.Rejected), limit, config.Truncation)).OfType<(EncodedExample, EncodedExample)>()];
        if (_pairs.Length == 0) throw new R1Exception(examples.Count == 0 ? "There is no pair to learn from." : $"None of {examples.Count} pairs fits into {limit} tokens a reply, prompt included; raise maxLength.");
        TooLong = examples.Count - _pairs.Length;
        var batches = new ExampleBatches(new SftConfig { Epochs = config.Epochs, BatchSize = config.BatchSize }, new AddressedRandom(seed, RandomPurpose.Order), _pairs.Length, _ => 0);
        TotalSteps = batches.TotalSteps();
        _batches = batches.Steps().GetEnumerator();
        Configure();

        EncodedExample Encode(SftExample reply)
        {
            var encoded = encoder.Encode(policy.Template is null && reply is ChatExample chat ? chat.AsText() : reply) ?? throw new R1Exception($"{reply.Id}: a reply is empty; nothing can be learned from it.");
            return encoded.PromptLength > 0 ? encoded : throw new R1Exception($"{reply.Id}: the prompt is empty; a reply's first token needs something before it.");
        }
    }

    /// <inheritdoc/>
    public override int TotalSteps { get; }

    /// <summary>Pairs that were left out because a reply, or with <see cref="Truncation.KeepStart"/> the prompt, does not fit the limit.</summary>
    public int TooLong { get; }

    /// <summary>A pair of at most so many tokens a reply, prompt included; null where it is left out. What TRL's filter and collator make of it together.</summary>
    internal static (EncodedExample Chosen, EncodedExample Rejected)? Fit(EncodedExample chosen, EncodedExample rejected, int limit, Truncation? truncation)
    {
        return Fitted(chosen) is { } better && Fitted(rejected) is { } worse ? (better, worse) : null;

        EncodedExample? Fitted(EncodedExample reply)
        {
            if (reply.Ids.Length <= limit) return reply;
            if (truncation is not { } side || SftEncoder.Truncate(reply, limit, side) is not { } cut) return null;
            // Where the whole prompt is gone the first token of the reply is what the others follow from.
            return cut with { PromptLength = Math.Max(1, cut.PromptLength) };
        }
    }

    /// <inheritdoc/>
    public override Task<StepReport> StepAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var clock = new PhaseClock(_time);
        var (chosen, rejected) = ReferenceScores();
        clock.Mark("logprobs");
        _batches.MoveNext();
        var update = _update.Step([.. _batches.Current.Select(i => new DpoPair(_pairs[i].Chosen, _pairs[i].Rejected, chosen[i], rejected[i]))], _schedule.At(Step));
        _policy.WeightsChanged();
        clock.Mark("update");
        State = State.After(update, Config.ToleratedSkips) with { Step = Step + 1, Tokens = State.Tokens + _batches.Current.Sum(i => (long)_pairs[i].Chosen.Ids.Length + _pairs[i].Rejected.Ids.Length) };
        var metrics = UpdateReport.Mean([update]);
        metrics["num_tokens"] = State.Tokens;
        return Task.FromResult(new StepReport(Step, metrics, clock.Seconds));
    }

    /// <inheritdoc/>
    public override void Save(string folder)
    {
        base.Save(folder);
        using var scope = NewDisposeScope();
        var (chosen, rejected) = ReferenceScores();
        SafeTensors.Save(Path.Combine(folder, ReferenceFile), new Dictionary<string, Tensor> { [Chosen] = tensor(chosen), [Rejected] = tensor(rejected) });
    }

    /// <inheritdoc/>
    public override void Restore(string folder)
    {
        base.Restore(folder);
        for (int step = 0; step < Step; step++) _batches.MoveNext();
        using var scope = NewDisposeScope();
        using var saved = SafeTensors.Open(Path.Combine(folder, ReferenceFile));
        double[] Read(string name) => saved.Read(name) is var values && values.numel() == _pairs.Length ? values.data<double>().ToArray()
            : throw new R1Exception($"{saved.Path}: {name} has {values.numel()} values for {_pairs.Length} pairs: the data is not that of the run.");
        _reference = (Read(Chosen), Read(Rejected));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _batches.Dispose();
        base.Dispose(disposing);
    }

    private protected override void Configure()
    {
        _schedule = new LrSchedule(Config.Schedule, Config.Optimizer.LearningRate, TotalSteps);
        _update = new DpoUpdate(_policy.Model, StateOfOptimizer, Config);
    }

    /// <summary>The pairs and their order hang on the sizes.</summary>
    private protected override DpoConfig WithoutFixed(DpoConfig asked) =>
        asked with { Epochs = Config.Epochs, BatchSize = Config.BatchSize, MaxLength = Config.MaxLength, Truncation = Config.Truncation, Optimizer = WithoutFixed(asked.Optimizer, Config.Optimizer) };

    private (double[] Chosen, double[] Rejected) ReferenceScores() =>
        _reference ??= (_update.Score([.. _pairs.Select(pair => pair.Chosen)]), _update.Score([.. _pairs.Select(pair => pair.Rejected)]));
}
