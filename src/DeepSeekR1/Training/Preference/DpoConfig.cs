using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeepSeekR1.Data;

namespace DeepSeekR1.Training;

/// <summary>How a policy is trained on pairs of replies without a reward model.</summary>
public sealed record DpoConfig
{
    /// <summary>What is minimised.</summary>
    [Description("What is minimised.")]
    public DpoLossKind Loss { get; init; } = DpoLossKind.Sigmoid;

    /// <summary>β: how strongly the policy is held to what it was.</summary>
    [Description("How strongly the policy is held to what it was."), Range(1e-6, 1e3)]
    public double Beta { get; init; } = 0.1;

    /// <summary>Share of pairs whose order is believed to be wrong.</summary>
    [Description("Share of pairs whose order is believed to be wrong."), Range(0, 0.49)]
    public double LabelSmoothing { get; init; }

    /// <summary>Passes over the pairs.</summary>
    [Description("Passes over the pairs."), Range(1, 10_000)]
    public int Epochs { get; init; } = 1;

    /// <summary>Pairs a step.</summary>
    [Description("Pairs a step."), Range(1, 1_000_000)]
    public int BatchSize { get; init; } = 32;

    /// <summary>Most tokens of a reply, prompt included; <see cref="Truncation"/> says what becomes of longer ones.</summary>
    [Description("Most tokens of a reply, prompt included; truncation says what becomes of longer ones."), Range(2, 10_000_000)]
    public int MaxLength { get; init; } = 1024;

    /// <summary>Which end of prompt and reply stays where they are too long (TRL's <c>truncation_mode</c>); null: such pairs are left out.</summary>
    [Description("Which end of prompt and reply stays where they are too long; null: such pairs are left out, as are, with keep-start, those whose prompt leaves no room.")]
    public Truncation? Truncation { get; init; }

    /// <summary>How a step is cut for the machine: bounds the memory of forward and backward.</summary>
    [Description("How a step is cut for the machine: bounds the memory of forward and backward.")]
    public BatchConfig Batching { get; init; } = new();

    /// <summary>The optimizer.</summary>
    [Description("The optimizer.")]
    public OptimizerConfig Optimizer { get; init; } = new() { LearningRate = 1e-6 };

    /// <summary>The learning rate's course over the steps.</summary>
    [Description("The learning rate's course over the steps.")]
    public ScheduleConfig Schedule { get; init; } = new();

    /// <summary>Updates in a row that may be skipped for a loss or gradient that is not finite.</summary>
    [Description("Updates in a row that may be skipped for a loss or gradient that is not finite."), Range(0, 1000)]
    public int ToleratedSkips { get; init; } = 3;
}
