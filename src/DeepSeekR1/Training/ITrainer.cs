namespace DeepSeekR1.Training;

/// <summary>Something that trains a policy step by step, and can be saved between any two steps.</summary>
public interface ITrainer : IDisposable
{
    /// <summary>Steps done.</summary>
    int Step { get; }

    /// <summary>Steps the configuration asks for.</summary>
    int TotalSteps { get; }

    /// <summary>Makes one step. When it is cancelled or fails, the step is lost; those before stay.</summary>
    /// <exception cref="R1Exception">Training cannot go on; says why and what to change.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    Task<StepReport> StepAsync(CancellationToken cancellationToken = default);

    /// <summary>Writes the policy as a Hugging Face folder, with everything beside it that the next step depends on.</summary>
    void Save(string folder);

    /// <summary>Takes up what <see cref="Save"/> wrote; the policy itself was loaded from the same folder.</summary>
    /// <exception cref="R1Exception">The folder's state is missing or does not belong to this policy.</exception>
    void Restore(string folder);
}
