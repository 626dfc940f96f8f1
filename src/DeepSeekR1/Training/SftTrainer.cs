using DeepSeekR1.Configuration;
using DeepSeekR1.Data;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Training;

/// <summary>Supervised fine-tuning, and pretraining, which is the same with an endless stream of documents.</summary>
public sealed class SftTrainer : Trainer<SftConfig, StepReport>
{
    private readonly PolicyModel _policy;
    private readonly TimeProvider _time;
    private readonly EncodedExamples _examples;
    private readonly IEnumerator<int[]> _batches;
    private LrSchedule _schedule = null!;
    private SftUpdate _update = null!;

    private SftTrainer(PolicyModel policy, SftConfig config, EncodedExamples examples, ulong seed, TimeProvider? time)
        : base(policy, Optimizer.For(policy.Model, config.Optimizer), config)
    {
        (_policy, _examples, _time) = (policy, examples, time ?? TimeProvider.System);
        var batches = new ExampleBatches(config, new AddressedRandom(seed, RandomPurpose.Order), examples.Count, index => examples[index].Ids.Length);
        TotalSteps = batches.TotalSteps();
        _batches = batches.Steps().GetEnumerator();
        Configure();
    }

    /// <summary>Trains on examples, epoch by epoch; <see cref="SftConfig.Fit"/> says what becomes of those longer than the limit.</summary>
    /// <exception cref="R1Exception">No example fits the limit, or the chat template refuses one.</exception>
    public static SftTrainer On(IReadOnlyList<SftExample> examples, PolicyModel policy, SftConfig config, ulong seed = 1, TimeProvider? time = null) =>
        new(policy, config, EncodedExamples.Of(examples, Encoder(policy, config.AssistantOnly), Limit(policy, config), config.Fit), seed, time);

    /// <summary>Trains on an endless stream of documents, in its own order.</summary>
    /// <exception cref="R1Exception">The configuration has no number of steps, or wants documents to be cut.</exception>
    public static SftTrainer OnStream(Func<int, SftExample> document, PolicyModel policy, SftConfig config, ulong seed = 1, TimeProvider? time = null) =>
        config.Fit != SftFit.Whole ? throw new R1Exception($"sft.fit is {EnumNames.Name(config.Fit)}, but documents of an endless stream are read one by one: leave it at whole.")
        : new(policy, config, EncodedExamples.Stream(document, Encoder(policy, config.AssistantOnly), Limit(policy, config)), seed, time);

    /// <inheritdoc/>
    public override int TotalSteps { get; }

    /// <summary>Examples that were left out because they are longer than the limit.</summary>
    public int TooLong => _examples.TooLong;

    /// <inheritdoc/>
    public override Task<StepReport> StepAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var clock = new PhaseClock(_time);
        _batches.MoveNext();
        SftSample[] samples = [.. _batches.Current.Select(index => ToSample(_examples[index]))];
        clock.Mark("data");

        var update = _update.Step(samples, _schedule.At(Step), clock);
        _policy.WeightsChanged();

        State = State.After(update, Config.ToleratedSkips) with { Step = Step + 1, Tokens = State.Tokens + samples.Sum(sample => (long)sample.Ids.Length) };
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

    /// <summary>How examples become ids for this policy.</summary>
    internal static SftEncoder Encoder(PolicyModel policy, bool assistantOnly = false)
    {
        string end = policy.Tokenizer.TokenOf(policy.Tokenizer.EosId ?? policy.StopIds[0])!;
        return new SftEncoder(policy.Tokenizer, end, policy.Template, new SftEncoderConfig { AssistantOnly = assistantOnly });
    }

    private static int Limit(PolicyModel policy, SftConfig config) => Math.Min(config.MaxLength, policy.Model.Config.MaxPositions);

    private static SftSample ToSample(EncodedExample example) => new() { Ids = example.Ids, IsLabel = example.IsLearned };

    private protected override void Configure()
    {
        _schedule = new LrSchedule(Config.Schedule, Config.Optimizer.LearningRate, TotalSteps);
        _update = new SftUpdate(_policy.Model, StateOfOptimizer, Config.Loss, Config.Batching);
    }

    /// <summary>The order of the examples hangs on the sizes.</summary>
    private protected override SftConfig WithoutFixed(SftConfig asked) => Config with
    {
        Optimizer = WithoutFixed(asked.Optimizer, Config.Optimizer),
        Schedule = asked.Schedule,
        Loss = asked.Loss,
        Batching = asked.Batching,
        ToleratedSkips = asked.ToleratedSkips,
    };
}
