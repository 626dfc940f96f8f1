namespace DeepSeekR1.Training;

/// <summary>A trainer that callbacks may steer between its steps.</summary>
/// <typeparam name="TConfig">The kind of its config.</typeparam>
public interface ITrainer<TConfig> : ITrainer
{
    /// <summary>
    /// What it trains with. A change takes effect with the next step and is part of the checkpoints from then on; what optimizer state or
    /// the order of examples hang on cannot change.
    /// </summary>
    /// <exception cref="R1Exception">A setting is out of its range, contradicts another, or cannot change while training.</exception>
    TConfig Config { get; set; }

    /// <summary>Ends the loop of steps before the next one.</summary>
    void Stop();
}

/// <summary>Sees each step of a trainer's loop, and may stop it or change its config. Called between steps, one callback after another.</summary>
/// <typeparam name="TConfig">The kind of the trainer's config.</typeparam>
public interface ITrainerCallback<TConfig>
{
    /// <summary>The next step is about to begin.</summary>
    ValueTask StepStartingAsync(ITrainer<TConfig> trainer, CancellationToken cancellationToken) => default;

    /// <summary>A step is done. Under GRPO the report is a <see cref="GrpoStepReport"/>, with the rollouts.</summary>
    ValueTask StepDoneAsync(ITrainer<TConfig> trainer, StepReport report, CancellationToken cancellationToken) => default;
}
