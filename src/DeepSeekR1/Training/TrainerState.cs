using System.Text.Json;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>The numbers that a trainer carries from step to step. Schedule, data position and random draws are functions of the step.</summary>
internal sealed record TrainerState
{
    private const string StateFile = "trainer.json", OptimizerFile = "optimizer.safetensors", ReferenceFile = "reference.safetensors";

    /// <summary>Steps done.</summary>
    public int Step { get; init; }

    /// <summary>Updates that the optimizer has applied.</summary>
    public long OptimizerSteps { get; init; }

    /// <summary>Tokens seen, prompts included.</summary>
    public long Tokens { get; init; }

    /// <summary>Prompts drawn so far: where the next step goes on.</summary>
    public int Prompts { get; init; }

    /// <summary>Updates in a row that were skipped because loss or gradient was not finite.</summary>
    public int SkippedInARow { get; init; }

    /// <summary>Steps in a row without any signal.</summary>
    public int WithoutSignalInARow { get; init; }

    /// <summary>The weight of the entropy bonus where it adapts; null before the first update.</summary>
    public EntropyControl? Entropy { get; init; }

    /// <summary>Weight of the entropy bonus in the next update; null: the configuration's.</summary>
    public double? EntropyBonus(GrpoLossConfig loss) => loss.AdaptiveEntropy is { } adaptive ? (Entropy ?? new EntropyControl(loss.EntropyBonus, null)).Applied(adaptive) : null;

    /// <summary>Lets the weight of the entropy bonus follow the entropy of an update.</summary>
    public TrainerState AfterEntropy(UpdateReport update, GrpoLossConfig loss) =>
        loss.AdaptiveEntropy is { } adaptive && update.Outcome == UpdateOutcome.Applied
            ? this with { Entropy = (Entropy ?? new EntropyControl(loss.EntropyBonus, null)).After(update.Metrics["entropy"], adaptive) }
            : this;

    /// <summary>Counts the outcome of an update.</summary>
    /// <exception cref="R1Exception">More updates in a row were skipped than are tolerated.</exception>
    public TrainerState After(UpdateReport update, int toleratedSkips)
    {
        int skipped = update.Outcome switch { UpdateOutcome.NotFinite => SkippedInARow + 1, UpdateOutcome.Applied => 0, _ => SkippedInARow };
        if (skipped > toleratedSkips)
            throw new R1Exception($"Loss or gradient was NaN or infinite in {skipped} updates in a row (step {Step + 1}): the weights were left as they were each time. " +
                "Lower optimizer.learningRate or optimizer.maxGradNorm, or compute in float32 (runtime.dtype); the last checkpoint is sound.");
        return this with { SkippedInARow = skipped };
    }

    /// <summary>Counts a finished step of reinforcement learning.</summary>
    /// <exception cref="R1Exception">There was nothing to learn from for too many steps in a row.</exception>
    public TrainerState After(IReadOnlyList<ScoredGroup> scored, int prompts, int toleratedWithoutSignal)
    {
        int withoutSignal = scored.Any(RolloutMetrics.HasSignal) ? 0 : WithoutSignalInARow + 1;
        if (toleratedWithoutSignal > 0 && withoutSignal >= toleratedWithoutSignal)
            throw new R1Exception($"No group had two different scores in {withoutSignal} steps in a row, so there is nothing to learn from: every completion of a prompt is paid the same " +
                $"(mean {scored.SelectMany(group => group.Scores).Average(score => score.Total ?? 0):0.###}). Take prompts that the model solves sometimes, a larger groupSize or temperature, or a cold start first.");
        long tokens = scored.Sum(group => group.Group.Rollouts.Sum(rollout => (long)rollout.PromptIds.Length + rollout.Ids.Length));
        return this with { Step = Step + 1, Prompts = Prompts + prompts, Tokens = Tokens + tokens, WithoutSignalInARow = withoutSignal };
    }

    /// <summary>Writes the model, the optimizer, the reference model where there is one, and these numbers.</summary>
    public void Save(string folder, IModelFolder model, IOptimizer optimizer, ReferenceModel? reference = null)
    {
        model.Save(folder);
        SafeTensors.Save(Path.Combine(folder, OptimizerFile), optimizer.State);
        if (reference is { State: { Count: > 0 } state }) SafeTensors.Save(Path.Combine(folder, ReferenceFile), state);
        AtomicFile.WriteText(Path.Combine(folder, StateFile), JsonSerializer.Serialize(this with { OptimizerSteps = optimizer.Steps }));
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="R1Exception">Something is missing, broken, or of another model.</exception>
    public static TrainerState Restore(string folder, IOptimizer optimizer, ReferenceModel? reference = null)
    {
        var state = Read(Path.Combine(folder, StateFile));
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        optimizer.Restore(SafeTensors.Load(Path.Combine(folder, OptimizerFile)), state.OptimizerSteps);
        reference?.Restore(Path.Combine(folder, ReferenceFile));
        return state;
    }

    private static TrainerState Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<TrainerState>(File.ReadAllBytes(path)) ?? throw new JsonException("it is null");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new R1Exception($"{path}: not the state of a trainer: {failure.Message}", failure);
        }
    }
}
