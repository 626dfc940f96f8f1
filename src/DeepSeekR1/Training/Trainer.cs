using System.Runtime.CompilerServices;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Configuration;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Training;

/// <summary>What all trainers share: the loop of steps, callbacks, a config that may change, and state that is saved.</summary>
/// <typeparam name="TConfig">The kind of its config.</typeparam>
/// <typeparam name="TReport">What a step tells.</typeparam>
public abstract class Trainer<TConfig, TReport> : ITrainer<TConfig>
    where TConfig : class, new()
    where TReport : StepReport
{
    private const string ChangedConfigFile = "trainer-config.json";

    private readonly IModelFolder _model;
    private TConfig _config;
    private bool _isConfigChanged, _isStopped;

    /// <summary>A trainer of this model, which stays the caller's.</summary>
    private protected Trainer(IModelFolder model, IOptimizer optimizer, TConfig config) => (_model, StateOfOptimizer, _config) = (model, optimizer, config);

    /// <summary>See and steer the loop of <see cref="TrainAsync"/>, in this order.</summary>
    public IList<ITrainerCallback<TConfig>> Callbacks { get; } = [];

    /// <inheritdoc/>
    public int Step => State.Step;

    /// <inheritdoc/>
    public abstract int TotalSteps { get; }

    /// <inheritdoc/>
    public TConfig Config
    {
        get => _config;
        set
        {
            ConfigRules.Check(value, "config");
            if (ConfigWriter.FirstDifference(WithoutFixed(value), value) is var (now, asked))
                throw new R1Exception($"config: the training began with {now}, and {asked} cannot take its place: the state of the training hangs on it. Begin a new one.");
            (_config, _isConfigChanged) = (value, true);
            Configure();
        }
    }

    /// <summary>The optimizer of the model.</summary>
    private protected IOptimizer StateOfOptimizer { get; }

    /// <summary>The numbers that go from step to step.</summary>
    private protected TrainerState State { get; set; } = new();

    /// <summary>The model that KL is measured from; null where there is none.</summary>
    private protected virtual ReferenceModel? Reference => null;

    /// <inheritdoc/>
    public void Stop() => _isStopped = true;

    /// <summary>Trains until the last step, or until a callback stops it; one report a step.</summary>
    /// <inheritdoc cref="ITrainer.StepAsync" path="/exception"/>
    public async IAsyncEnumerable<TReport> TrainAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        _isStopped = false;
        while (Step < TotalSteps)
        {
            foreach (var callback in Callbacks) await callback.StepStartingAsync(this, cancellationToken);
            if (_isStopped) yield break;
            var report = await StepAsync(cancellationToken);
            foreach (var callback in Callbacks) await callback.StepDoneAsync(this, report, cancellationToken);
            yield return report;
            if (_isStopped) yield break;
        }
    }

    /// <inheritdoc cref="ITrainer.StepAsync"/>
    public abstract Task<TReport> StepAsync(CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    async Task<StepReport> ITrainer.StepAsync(CancellationToken cancellationToken) => await StepAsync(cancellationToken);

    /// <inheritdoc/>
    public virtual void Save(string folder)
    {
        State.Save(folder, _model, StateOfOptimizer, Reference);
        if (_isConfigChanged) AtomicFile.WriteText(Path.Combine(folder, ChangedConfigFile), ConfigWriter.Write(_config));
    }

    /// <inheritdoc/>
    public virtual void Restore(string folder)
    {
        string changed = Path.Combine(folder, ChangedConfigFile);
        if (File.Exists(changed)) Config = ConfigReader.Load<TConfig>(changed);
        State = TrainerState.Restore(folder, StateOfOptimizer, Reference);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Makes anew what follows from <see cref="Config"/>.</summary>
    private protected abstract void Configure();

    /// <summary>A config with everything that cannot change set to what it is.</summary>
    private protected abstract TConfig WithoutFixed(TConfig asked);

    /// <summary>Of an optimizer nothing but the learning rate can change.</summary>
    private protected static OptimizerConfig WithoutFixed(OptimizerConfig asked, OptimizerConfig now) => now with { LearningRate = asked.LearningRate };

    /// <summary>Frees what the trainer made.</summary>
    protected virtual void Dispose(bool disposing) => StateOfOptimizer.Dispose();
}
