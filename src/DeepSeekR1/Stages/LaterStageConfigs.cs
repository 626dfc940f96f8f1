using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeepSeekR1.Configuration;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Training;

namespace DeepSeekR1.Stages;

/// <summary>How the good samples of a model are gathered.</summary>
public sealed record CurationConfig : IValidatedConfig
{
    /// <summary>Training prompts that are sampled.</summary>
    [Description("Training prompts that are sampled."), Range(1, 10_000_000)]
    public int Prompts { get; init; } = 800;

    /// <summary>Samples of each.</summary>
    [Description("Samples of each."), Range(1, 1024)]
    public int Samples { get; init; } = 4;

    /// <summary>Most samples of a prompt that are kept.</summary>
    [Description("Most samples of a prompt that are kept."), Range(1, 1024)]
    public int KeptPerPrompt { get; init; } = 2;

    /// <summary>Rewards that must pay a sample in full.</summary>
    [Description("Rewards that must pay a sample in full, or it is dropped.")]
    public IReadOnlyList<string> Filters { get; init; } = ["accuracy", "format", "language"];

    /// <summary>How samples are drawn.</summary>
    [Description("How samples are drawn.")]
    public SamplingConfig Sampling { get; init; } = new();

    /// <inheritdoc/>
    public IEnumerable<ConfigProblem> Validate()
    {
        if (Filters.Count > 0 && RewardSpecifications.ProblemOf(Filters) is { } problem) yield return new(nameof(Filters), problem);
    }
}

/// <summary>Rejection sampling and supervised fine-tuning.</summary>
public sealed record RejectionSftConfig : EvaluatedStageConfig
{
    /// <summary>How samples are gathered.</summary>
    [Description("How samples are gathered.")]
    public CurationConfig Curation { get; init; } = new();

    /// <summary>General conversations that are taken from the embedded world.</summary>
    [Description("General conversations that are taken from the embedded world."), Range(0, 1_000_000)]
    public int GeneralExamples { get; init; } = 800;

    /// <summary>The algorithm.</summary>
    [Description("The algorithm.")]
    public SftConfig Sft { get; init; } = new() { Epochs = 2 };
}

/// <summary>The reward models.</summary>
public sealed record RewardModelStageConfig
{
    /// <summary>Chats of the embedded world whose replies are judged.</summary>
    [Description("Chats of the embedded world whose replies are judged."), Range(1, 1_000_000)]
    public int Chats { get; init; } = 400;

    /// <summary>Held-out chats on which the reward models are measured.</summary>
    [Description("Held-out chats on which the reward models are measured."), Range(1, 1_000_000)]
    public int HeldOutChats { get; init; } = 150;

    /// <summary>Replies of the model's own to each chat.</summary>
    [Description("Replies of the model's own to each chat."), Range(1, 1024)]
    public int Samples { get; init; } = 4;

    /// <summary>Most pairs to learn from, drawn at random.</summary>
    [Description("Most pairs to learn from, drawn at random."), Range(1, 100_000_000)]
    public int MaxPairs { get; init; } = 10_000;

    /// <summary>How the model's own replies are drawn.</summary>
    [Description("How the model's own replies are drawn.")]
    public SamplingConfig Sampling { get; init; } = new();

    /// <summary>The judge of helpfulness.</summary>
    [Description("The judge of helpfulness.")]
    public RewardModelConfig Helpful { get; init; } = new();

    /// <summary>The judge of safety.</summary>
    [Description("The judge of safety.")]
    public RewardModelConfig Safety { get; init; } = new();
}

/// <summary>Reinforcement learning for all scenarios.</summary>
public sealed record AllScenarioConfig : IValidatedConfig
{
    /// <summary>The rewards of reasoning prompts, summed.</summary>
    [Description("The rewards of reasoning prompts, summed, each as \"name:option=value,...\" (option weight: 1).")]
    public IReadOnlyList<string> Rewards { get; init; } = ["accuracy", "format", "language"];

    /// <summary>Share of general and safety prompts once the reward models have their say.</summary>
    [Description("Share of general and safety prompts once the reward models have their say."), Range(0, 1)]
    public double GeneralShare { get; init; } = 0.5;

    /// <summary>The last share of the steps, in which there are general prompts and reward models pay.</summary>
    [Description("The last share of the steps, in which there are general prompts and reward models pay."), Range(0, 1)]
    public double PreferenceShare { get; init; } = 0.25;

    /// <summary>Weight of the judge of helpfulness.</summary>
    [Description("Weight of the judge of helpfulness."), Range(0, 1000)]
    public double HelpfulWeight { get; init; } = 1;

    /// <summary>Weight of the judge of safety.</summary>
    [Description("Weight of the judge of safety."), Range(0, 1000)]
    public double SafetyWeight { get; init; } = 1;

    /// <summary>Folder of the helpful reward model; null: the run's own.</summary>
    [Description("Folder of the helpful reward model; null: the run's own.")]
    public string? HelpfulModel { get; init; }

    /// <summary>Folder of the safety reward model; null: the run's own.</summary>
    [Description("Folder of the safety reward model; null: the run's own.")]
    public string? SafetyModel { get; init; }

    /// <summary>The algorithm.</summary>
    [Description("The algorithm.")]
    public GrpoConfig Grpo { get; init; } = new() { Sampling = new SamplingConfig { Temperature = 0.7 } };

    /// <summary>Steps between evaluations on the validation prompts; 0: none.</summary>
    [Description("Steps between evaluations on the validation prompts; 0: none."), Range(0, int.MaxValue)]
    public int EvaluateEvery { get; init; } = 10;

    /// <summary>Samples a prompt in those evaluations.</summary>
    [Description("Samples a prompt in those evaluations."), Range(1, 1024)]
    public int EvaluationSamples { get; init; } = 1;

    /// <summary>The stage ends early after this many evaluations in a row that were worse than the best; 0: never.</summary>
    [Description("The stage ends early after this many evaluations in a row that were worse than the best; 0: never."), Range(0, 1_000_000)]
    public int Patience { get; init; }

    /// <inheritdoc/>
    public IEnumerable<ConfigProblem> Validate()
    {
        if (Rewards.Count == 0) yield return new(nameof(Rewards), "must name at least one reward");
        else if (RewardSpecifications.ProblemOf(Rewards) is { } problem) yield return new(nameof(Rewards), problem);
    }
}

/// <summary>Distillation.</summary>
public sealed record DistillConfig : EvaluatedStageConfig
{
    /// <summary>A Hugging Face folder, or <c>embedded:NAME</c>: the model that learns.</summary>
    [Description("A Hugging Face folder, or embedded:NAME: the model that learns.")]
    public string? Student { get; init; }

    /// <summary>How the teacher's samples are gathered.</summary>
    [Description("How the teacher's samples are gathered.")]
    public CurationConfig Curation { get; init; } = new();

    /// <summary>General prompts that the teacher answers too.</summary>
    [Description("General prompts that the teacher answers too."), Range(0, 10_000_000)]
    public int GeneralPrompts { get; init; } = 800;

    /// <summary>The algorithm.</summary>
    [Description("The algorithm.")]
    public SftConfig Sft { get; init; } = new() { Epochs = 3 };

    /// <summary>The control: the same student by reinforcement learning alone.</summary>
    [Description("The control: the same student by reinforcement learning alone.")]
    public ReinforcementConfig StudentRl { get; init; } = new();
}
