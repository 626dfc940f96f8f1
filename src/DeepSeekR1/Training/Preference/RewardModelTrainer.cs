using DeepSeekR1.Data;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Training;

/// <summary>Trains a reward model on pairs of replies, or on replies with verdicts.</summary>
public sealed class RewardModelTrainer : Trainer<RewardModelConfig, StepReport>
{
    private readonly RewardModel _model;
    private readonly TimeProvider _time;
    private readonly IEnumerator<int[]> _batches;
    private readonly Func<RewardUpdate, int[], double, UpdateReport> _step;
    private LrSchedule _schedule = null!;
    private RewardUpdate _update = null!;

    private RewardModelTrainer(RewardModel model, RewardModelConfig config, int examples, int fitting, Func<RewardUpdate, int[], double, UpdateReport> step, ulong seed, TimeProvider? time)
        : base(model, Optimizer.For(model.Model, config.Optimizer), config)
    {
        if (examples == 0) throw new R1Exception("There is no example to train a reward model on.");
        if (fitting == 0) throw new R1Exception($"None of {examples} examples has at most {config.MaxLength} tokens, prompt included; raise maxLength.");
        (_model, _step, _time, TooLong) = (model, step, time ?? TimeProvider.System, examples - fitting);
        var batches = new ExampleBatches(new SftConfig { Epochs = config.Epochs, BatchSize = config.BatchSize }, new AddressedRandom(seed, RandomPurpose.Order), fitting, _ => 0);
        TotalSteps = batches.TotalSteps();
        _batches = batches.Steps().GetEnumerator();
        Configure();
    }

    /// <summary>Pairwise: the better reply of a pair is to score higher (helpfulness).</summary>
    /// <exception cref="R1Exception">There is no pair, none fits the limit, or the chat template refuses one.</exception>
    public static RewardModelTrainer OnPairs(IReadOnlyList<PreferenceExample> examples, RewardModel model, RewardModelConfig config, ulong seed = 1, TimeProvider? time = null)
    {
        PreferencePair[] pairs = [.. examples.Select(example => Fit(example, model, config.MaxLength)).OfType<PreferencePair>()];
        return new(model, config, examples.Count, pairs.Length, (update, indices, learningRate) => update.Step([.. indices.Select(i => pairs[i])], learningRate), seed, time);
    }

    /// <summary>Pointwise: good replies are to score above zero, bad ones below (safety).</summary>
    /// <exception cref="R1Exception">There is no reply, none fits the limit, or the chat template refuses one.</exception>
    public static RewardModelTrainer OnVerdicts(IReadOnlyList<VerdictExample> examples, RewardModel model, RewardModelConfig config, ulong seed = 1, TimeProvider? time = null)
    {
        LabelledReply[] replies = [.. examples.Select(example => Fit(example, model, config.MaxLength)).OfType<LabelledReply>()];
        return new(model, config, examples.Count, replies.Length, (update, indices, learningRate) => update.Step([.. indices.Select(i => replies[i])], learningRate), seed, time);
    }

    /// <summary>A pair as the model reads it; null where a reply has more tokens than the limit.</summary>
    internal static PreferencePair? Fit(PreferenceExample example, RewardModel model, int limit) =>
        model.Encode(example.Chosen, limit) is { } chosen && model.Encode(example.Rejected, limit) is { } rejected ? new PreferencePair(chosen, rejected, example.Margin) : null;

    private static LabelledReply? Fit(VerdictExample example, RewardModel model, int limit) =>
        model.Encode(example.Reply, limit) is { } reply ? new LabelledReply(reply, example.IsGood ? 1 : 0) : null;

    /// <summary>Share of pairs whose better reply scores higher.</summary>
    public static double Accuracy(RewardModel model, IReadOnlyList<PreferenceExample> examples)
    {
        double[] chosen = model.Score([.. examples.Select(example => model.Encode(example.Chosen))]);
        double[] rejected = model.Score([.. examples.Select(example => model.Encode(example.Rejected))]);
        return chosen.Zip(rejected, (better, worse) => better > worse ? 1.0 : 0.0).Average();
    }

    /// <summary>Share of replies on whose side of zero their score lies.</summary>
    public static double Accuracy(RewardModel model, IReadOnlyList<VerdictExample> examples) =>
        model.Score([.. examples.Select(example => model.Encode(example.Reply))]).Zip(examples, (score, example) => score > 0 == example.IsGood ? 1.0 : 0.0).Average();

    /// <inheritdoc/>
    public override int TotalSteps { get; }

    /// <summary>Examples that were left out because they have more tokens than the limit.</summary>
    public int TooLong { get; }

    /// <inheritdoc/>
    public override Task<StepReport> StepAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var clock = new PhaseClock(_time);
        _batches.MoveNext();
        var update = _step(_update, _batches.Current, _schedule.At(Step));
        clock.Mark("update");
        State = State.After(update, Config.ToleratedSkips) with { Step = Step + 1, Tokens = State.Tokens + update.Tokens };
        var metrics = UpdateReport.Mean([update]);
        metrics["num_tokens"] = State.Tokens;
        return Task.FromResult(new StepReport(Step, metrics, clock.Seconds));
    }

    /// <inheritdoc/>
    public override void Restore(string folder)
    {
        base.Restore(folder);
        for (int step = 0; step < Step; step++) _batches.MoveNext();
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
        _update = new RewardUpdate(_model.Model, StateOfOptimizer, Config.Batching, Config.Centering);
    }

    /// <summary>The examples and their order hang on the sizes.</summary>
    private protected override RewardModelConfig WithoutFixed(RewardModelConfig asked) =>
        asked with { Epochs = Config.Epochs, BatchSize = Config.BatchSize, MaxLength = Config.MaxLength, Optimizer = WithoutFixed(asked.Optimizer, Config.Optimizer) };
}
