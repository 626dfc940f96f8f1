using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeepSeekR1.Configuration;

namespace DeepSeekR1.Training;

/// <summary>How examples are made to fit the longest row.</summary>
public enum SftFit
{
    /// <summary>An example that is longer is dropped and counted.</summary>
    Whole,
    /// <summary>An example that is longer is cut into pieces, each by itself: TRL's <c>bfd_split</c> where rows are packed.</summary>
    Split,
    /// <summary>All examples end to end, cut where a row is full, so that what shares a row sees one another: TRL's <c>wrapped</c>.</summary>
    Wrapped,
}

/// <summary>Supervised fine-tuning: next-token cross-entropy over the tokens that carry loss, one mean over the whole step's tokens.</summary>
public sealed record SftConfig : IValidatedConfig
{
    /// <summary>Passes over the examples; ignored when <see cref="Steps"/> is set.</summary>
    [Description("Passes over the examples; ignored when steps is set."), Range(1, 10_000)]
    public int Epochs { get; init; } = 1;

    /// <summary>Optimizer steps; 0: as many as the epochs need.</summary>
    [Description("Optimizer steps; 0: as many as the epochs need."), Range(0, int.MaxValue)]
    public int Steps { get; init; }

    /// <summary>Examples a step, in random order; ignored when <see cref="BatchTokens"/> is set.</summary>
    [Description("Examples a step, in random order; ignored when batchTokens is set."), Range(1, 1_000_000)]
    public int BatchSize { get; init; } = 16;

    /// <summary>Most tokens a step, padding included, examples of like length together; 0: <see cref="BatchSize"/> rules.</summary>
    [Description("Most tokens a step, padding included, examples of like length together; 0: batchSize rules."), Range(0, int.MaxValue)]
    public int BatchTokens { get; init; }

    /// <summary>Examples that are sorted by length together when <see cref="BatchTokens"/> rules.</summary>
    [Description("Examples that are sorted by length together when batchTokens rules."), Range(1, 1_000_000)]
    public int BucketSize { get; init; } = 1024;

    /// <summary>How a step is cut for the machine: bounds the memory of forward and backward.</summary>
    [Description("How a step is cut for the machine: bounds the memory of forward and backward.")]
    public BatchConfig Batching { get; init; } = new();

    /// <summary>Most tokens of an example; <see cref="Fit"/> says what becomes of longer ones.</summary>
    [Description("Most tokens of an example; fit says what becomes of longer ones."), Range(2, int.MaxValue)]
    public int MaxLength { get; init; } = 1024;

    /// <summary>How examples are made to fit <see cref="MaxLength"/>.</summary>
    [Description("How examples are made to fit maxLength: whole (longer ones are dropped and counted), split (longer ones are cut into pieces), wrapped (all end to end, cut into rows whose examples see one another).")]
    public SftFit Fit { get; init; } = SftFit.Whole;

    /// <summary>Of conversations only what the assistant says carries loss, in every turn after the prompt; else all that follows the prompt.</summary>
    [Description("Of conversations only what the assistant says carries loss, in every turn after the prompt; false: all that follows the prompt.")]
    public bool AssistantOnly { get; init; }

    /// <summary>The loss.</summary>
    [Description("The loss.")]
    public SftLossConfig Loss { get; init; } = new();

    /// <summary>The optimizer.</summary>
    [Description("The optimizer.")]
    public OptimizerConfig Optimizer { get; init; } = new() { LearningRate = 2e-5 };

    /// <summary>The learning rate's course over the steps.</summary>
    [Description("The learning rate's course over the steps.")]
    public ScheduleConfig Schedule { get; init; } = new();

    /// <summary>Updates in a row that may be skipped for a loss or gradient that is not finite.</summary>
    [Description("Updates in a row that may be skipped for a loss or gradient that is not finite."), Range(0, 1000)]
    public int ToleratedSkips { get; init; } = 3;

    /// <inheritdoc/>
    public IEnumerable<ConfigProblem> Validate()
    {
        if (BatchTokens > 0 && BatchTokens < MaxLength)
            yield return new(nameof(BatchTokens), $"must hold at least one example of maxLength ({MaxLength}) tokens, but is {BatchTokens}");
    }
}
