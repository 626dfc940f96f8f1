using System.Runtime.CompilerServices;
using DeepSeekR1.Data;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Training;

/// <summary>Supervised fine-tuning, and pretraining, which is the same with an endless stream of documents.</summary>
public sealed class SftTrainer : ITrainer
{
    private readonly PolicyModel _policy;
    private readonly SftConfig _config;
    private readonly TimeProvider _time;
    private readonly EncodedExamples _examples;
    private readonly IEnumerator<int[]> _batches;
    private readonly IOptimizer _optimizer;
    private readonly LrSchedule _schedule;
    private readonly SftUpdate _update;
    private TrainerState _state = new();

    private SftTrainer(PolicyModel policy, SftConfig config, EncodedExamples examples, ulong seed, TimeProvider? time)
    {
        (_policy, _config, _examples, _time) = (policy, config, examples, time ?? TimeProvider.System);
        var batches = new ExampleBatches(config, new AddressedRandom(seed, RandomPurpose.Order), examples.Count, index => examples[index].Ids.Length);
        TotalSteps = batches.TotalSteps();
        _batches = batches.Steps().GetEnumerator();
        _optimizer = Optimizer.For(policy.Model, config.Optimizer);
        _schedule = new LrSchedule(config.Schedule, config.Optimizer.LearningRate, TotalSteps);
        _update = new SftUpdate(policy.Model, _optimizer, config.Loss, config.Batching);
    }

    /// <summary>Trains on examples, epoch by epoch. Examples longer than the limit are left out.</summary>
    /// <exception cref="R1Exception">No example fits the limit, or the chat template refuses one.</exception>
    public static SftTrainer On(IReadOnlyList<SftExample> examples, PolicyModel policy, SftConfig config, ulong seed = 1, TimeProvider? time = null) =>
        new(policy, config, EncodedExamples.Of(examples, Encoder(policy), Limit(policy, config)), seed, time);

    /// <summary>Trains on an endless stream of documents, in its own order.</summary>
    /// <exception cref="R1Exception">The configuration has no number of steps.</exception>
    public static SftTrainer OnStream(Func<int, SftExample> document, PolicyModel policy, SftConfig config, ulong seed = 1, TimeProvider? time = null) =>
        new(policy, config, EncodedExamples.Stream(document, Encoder(policy), Limit(policy, config)), seed, time);

    /// <inheritdoc/>
    public int Step => _state.Step;

    /// <inheritdoc/>
    public int TotalSteps { get; }

    /// <summary>Examples that were left out because they are longer than the limit.</summary>
    public int TooLong => _examples.TooLong;

    /// <summary>Trains until the last step, one report a step.</summary>
    public async IAsyncEnumerable<StepReport> TrainAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (Step < TotalSteps) yield return await StepAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task<StepReport> StepAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var clock = new PhaseClock(_time);
        _batches.MoveNext();
        SftSample[] samples = [.. _batches.Current.Select(index => ToSample(_examples[index]))];
        clock.Mark("data");

        var update = _update.Step(samples, _schedule.At(Step), clock);
        _policy.WeightsChanged();

        _state = _state.After(update, _config.ToleratedSkips) with { Step = Step + 1, Tokens = _state.Tokens + samples.Sum(sample => (long)sample.Ids.Length) };
        var metrics = UpdateReport.Mean([update]);
        metrics["num_tokens"] = _state.Tokens;
        return Task.FromResult(new StepReport(Step, metrics, clock.Seconds));
    }

    /// <inheritdoc/>
    public void Save(string folder) => _state.Save(folder, _policy, _optimizer);

    /// <inheritdoc/>
    public void Restore(string folder)
    {
        _state = TrainerState.Restore(folder, _optimizer);
        for (int step = 0; step < Step; step++) _batches.MoveNext();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimizer.Dispose();
        _batches.Dispose();
    }

    /// <summary>How examples become ids for this policy.</summary>
    internal static SftEncoder Encoder(PolicyModel policy)
    {
        string end = policy.Tokenizer.TokenOf(policy.Tokenizer.EosId ?? policy.StopIds[0])!;
        return new SftEncoder(policy.Tokenizer, end, policy.Template);
    }

    private static int Limit(PolicyModel policy, SftConfig config) => Math.Min(config.MaxLength, policy.Model.Config.MaxPositions);

    private static SftSample ToSample(EncodedExample example)
    {
        bool[] isLabel = new bool[example.Ids.Length];
        Array.Fill(isLabel, true, example.PromptLength, isLabel.Length - example.PromptLength);
        return new SftSample { Ids = example.Ids, IsLabel = isLabel };
    }
}
