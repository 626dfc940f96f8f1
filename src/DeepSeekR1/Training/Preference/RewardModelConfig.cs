using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeepSeekR1.Training;

/// <summary>How a reward model is trained.</summary>
public sealed record RewardModelConfig
{
    /// <summary>Passes over the examples.</summary>
    [Description("Passes over the examples."), Range(1, 10_000)]
    public int Epochs { get; init; } = 1;

    /// <summary>Pairs or replies a step.</summary>
    [Description("Pairs or replies a step."), Range(1, 1_000_000)]
    public int BatchSize { get; init; } = 32;

    /// <summary>Pairs or replies with more tokens, prompt included, are left out, as in TRL.</summary>
    [Description("Pairs or replies with more tokens, prompt included, are left out."), Range(2, 10_000_000)]
    public int MaxLength { get; init; } = 1024;

    /// <summary>Weight of the mean squared sum of a pair's scores, which keeps them around zero; 0: none.</summary>
    [Description("Weight of the mean squared sum of a pair's scores, which keeps them around zero; 0: none."), Range(0, 100)]
    public double Centering { get; init; }

    /// <summary>How a step is cut for the machine: bounds the memory of forward and backward.</summary>
    [Description("How a step is cut for the machine: bounds the memory of forward and backward.")]
    public BatchConfig Batching { get; init; } = new();

    /// <summary>The optimizer.</summary>
    [Description("The optimizer.")]
    public OptimizerConfig Optimizer { get; init; } = new() { LearningRate = 1e-5 };

    /// <summary>The learning rate's course over the steps.</summary>
    [Description("The learning rate's course over the steps.")]
    public ScheduleConfig Schedule { get; init; } = new();

    /// <summary>Updates in a row that may be skipped for a loss or gradient that is not finite.</summary>
    [Description("Updates in a row that may be skipped for a loss or gradient that is not finite."), Range(0, 1000)]
    public int ToleratedSkips { get; init; } = 3;
}
