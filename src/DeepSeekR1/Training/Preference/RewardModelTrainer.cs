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

    private RewardModelTrainer(RewardModel model, RewardModelConfig config, int examples, Func<RewardUpdate, int[], double, UpdateReport> step, ulong seed, TimeProvider? time)
        : base(model, Optimizer.For(model.Model, config.Optimizer), config)
    {
        if (examples == 0) throw new R1Exception("There is no example to train a reward model on.");
        (_model, _step, _time) = (model, step, time ?? TimeProvider.System);
        var batches = new ExampleBatches(new SftConfig { Epochs = config.Epochs, BatchSize = config.BatchSize }, new AddressedRandom(seed, RandomPurpose.Order), examples, _ => 0);
        TotalSteps = batches.TotalSteps();
        _batches = batches.Steps().GetEnumerator();
        Configure();
    }

    /// <summary>Pairwise: the better reply of a pair is to score higher (helpfulness).</summary>
    /// <exception cref="R1Exception">There is no pair, or the chat template refuses one.</exception>
    public static RewardModelTrainer OnPairs(IReadOnlyList<PreferenceExample> examples, RewardModel model, RewardModelConfig config, ulong seed = 1, TimeProvider? time = null)
    {
        PreferencePair[] pairs = [.. examples.Select(example => new PreferencePair(model.Encode(example.Chosen), model.Encode(example.Rejected), example.Margin))];
        return new(model, config, pairs.Length, (update, indices, learningRate) => update.Step([.. indices.Select(i => pairs[i])], learningRate), seed, time);
    }

    /// <summary>Pointwise: good replies are to score above zero, bad ones below (safety).</summary>
    /// <exception cref="R1Exception">There is no reply, or the chat template refuses one.</exception>
    public static RewardModelTrainer OnVerdicts(IReadOnlyList<VerdictExample> examples, RewardModel model, RewardModelConfig config, ulong seed = 1, TimeProvider? time = null)
    {
        LabelledReply[] replies = [.. examples.Select(example => new LabelledReply(model.Encode(example.Reply), example.IsGood ? 1 : 0))];
        return new(model, config, replies.Length, (update, indices, learningRate) => update.Step([.. indices.Select(i => replies[i])], learningRate), seed, time);
    }

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

    /// <summary>The order of the examples hangs on the sizes.</summary>
    private protected override RewardModelConfig WithoutFixed(RewardModelConfig asked) =>
        asked with { Epochs = Config.Epochs, BatchSize = Config.BatchSize, Optimizer = WithoutFixed(asked.Optimizer, Config.Optimizer) };
}
