using DeepSeekR1.Data;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Training;

/// <summary>Trains a reward model on pairs of replies, or on replies with verdicts.</summary>
public sealed class RewardModelTrainer : ITrainer
{
    private readonly RewardModel _model;
    private readonly RewardModelConfig _config;
    private readonly TimeProvider _time;
    private readonly IEnumerator<int[]> _batches;
    private readonly IOptimizer _optimizer;
    private readonly LrSchedule _schedule;
    private readonly Func<int[], double, UpdateReport> _update;
    private TrainerState _state = new();

    private RewardModelTrainer(RewardModel model, RewardModelConfig config, int examples, Func<RewardUpdate, int[], double, UpdateReport> step, ulong seed, TimeProvider? time)
    {
        if (examples == 0) throw new R1Exception("There is no example to train a reward model on.");
        (_model, _config, _time) = (model, config, time ?? TimeProvider.System);
        var batches = new ExampleBatches(new SftConfig { Epochs = config.Epochs, BatchSize = config.BatchSize }, new AddressedRandom(seed, RandomPurpose.Order), examples, _ => 0);
        TotalSteps = batches.TotalSteps();
        _batches = batches.Steps().GetEnumerator();
        _optimizer = Optimizer.For(model.Model, config.Optimizer);
        _schedule = new LrSchedule(config.Schedule, config.Optimizer.LearningRate, TotalSteps);
        var update = new RewardUpdate(model.Model, _optimizer, config.Batching, config.Centering);
        _update = (indices, learningRate) => step(update, indices, learningRate);
    }

    /// <summary>Pairwise: the better reply of a pair is to score higher (helpfulness).</summary>
    /// <exception cref="R1Exception">There is no pair, or the chat template refuses one.</exception>
    public static RewardModelTrainer OnPairs(IReadOnlyList<PreferenceExample> examples, RewardModel model, RewardModelConfig config, ulong seed = 1, TimeProvider? time = null)
    {
        PreferencePair[] pairs = [.. examples.Select(example => new PreferencePair(model.Encode(example.Prompt, example.Chosen), model.Encode(example.Prompt, example.Rejected), example.Margin))];
        return new(model, config, pairs.Length, (update, indices, learningRate) => update.Step([.. indices.Select(i => pairs[i])], learningRate), seed, time);
    }

    /// <summary>Pointwise: good replies are to score above zero, bad ones below (safety).</summary>
    /// <exception cref="R1Exception">There is no reply, or the chat template refuses one.</exception>
    public static RewardModelTrainer OnVerdicts(IReadOnlyList<VerdictExample> examples, RewardModel model, RewardModelConfig config, ulong seed = 1, TimeProvider? time = null)
    {
        LabelledReply[] replies = [.. examples.Select(example => new LabelledReply(model.Encode(example.Prompt, example.Reply), example.IsGood ? 1 : 0))];
        return new(model, config, replies.Length, (update, indices, learningRate) => update.Step([.. indices.Select(i => replies[i])], learningRate), seed, time);
    }

    /// <summary>Share of pairs whose better reply scores higher.</summary>
    public static double Accuracy(RewardModel model, IReadOnlyList<PreferenceExample> examples)
    {
        double[] chosen = model.Score([.. examples.Select(example => model.Encode(example.Prompt, example.Chosen))]);
        double[] rejected = model.Score([.. examples.Select(example => model.Encode(example.Prompt, example.Rejected))]);
        return chosen.Zip(rejected, (better, worse) => better > worse ? 1.0 : 0.0).Average();
    }

    /// <summary>Share of replies on whose side of zero their score lies.</summary>
    public static double Accuracy(RewardModel model, IReadOnlyList<VerdictExample> examples) =>
        model.Score([.. examples.Select(example => model.Encode(example.Prompt, example.Reply))]).Zip(examples, (score, example) => score > 0 == example.IsGood ? 1.0 : 0.0).Average();

    /// <inheritdoc/>
    public int Step => _state.Step;

    /// <inheritdoc/>
    public int TotalSteps { get; }

    /// <inheritdoc/>
    public Task<StepReport> StepAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var clock = new PhaseClock(_time);
        _batches.MoveNext();
        var update = _update(_batches.Current, _schedule.At(Step));
        clock.Mark("update");
        _state = _state.After(update, _config.ToleratedSkips) with { Step = Step + 1, Tokens = _state.Tokens + update.Tokens };
        var metrics = UpdateReport.Mean([update]);
        metrics["num_tokens"] = _state.Tokens;
        return Task.FromResult(new StepReport(Step, metrics, clock.Seconds));
    }

    /// <inheritdoc/>
    public void Save(string folder) => _state.Save(folder, _model, _optimizer);

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
}
