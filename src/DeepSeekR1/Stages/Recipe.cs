using System.ComponentModel;
using DeepSeekR1.Evaluation;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Stages;

/// <summary>Everything a run is made of: one section a concept, one file a recipe.</summary>
public sealed record Recipe
{
    /// <summary>Seed of every random draw of the run.</summary>
    [Description("Seed of every random draw of the run.")]
    public ulong Seed { get; init; } = 1;

    /// <summary>Device, precision and threads.</summary>
    [Description("Device, precision and threads.")]
    public RuntimeConfig Runtime { get; init; } = new();

    /// <summary>The model that the stages start from.</summary>
    [Description("The model that the stages start from.")]
    public BaseModelConfig Model { get; init; } = new();

    /// <summary>Where prompts and examples come from.</summary>
    [Description("Where prompts and examples come from.")]
    public RecipeData Data { get; init; } = new();

    /// <summary>How models are measured.</summary>
    [Description("How models are measured.")]
    public EvaluationConfig Evaluation { get; init; } = new();

    /// <summary>How stages save themselves.</summary>
    [Description("How stages save themselves.")]
    public CheckpointConfig Checkpoints { get; init; } = new();

    /// <summary>A base model from nothing.</summary>
    [Description("A base model from nothing.")]
    public PretrainConfig Pretrain { get; init; } = new();

    /// <summary>Pure reinforcement learning from the base model (R1-Zero).</summary>
    [Description("Pure reinforcement learning from the base model (R1-Zero).")]
    public ReinforcementConfig Zero { get; init; } = new();

    /// <summary>Supervised fine-tuning on few worked solutions (R1 dev1).</summary>
    [Description("Supervised fine-tuning on few worked solutions (R1 dev1).")]
    public ColdStartConfig ColdStart { get; init; } = new();

    /// <summary>Reinforcement learning from the cold start (R1 dev2).</summary>
    [Description("Reinforcement learning from the cold start (R1 dev2).")]
    public ReinforcementConfig ReasoningRl { get; init; } = new() { Rewards = ["accuracy", "format", "language"] };

    /// <summary>Supervised fine-tuning of the base model on the best of the reasoning model's samples (R1 dev3).</summary>
    [Description("Supervised fine-tuning of the base model on the best of the reasoning model's samples (R1 dev3).")]
    public RejectionSftConfig RejectionSft { get; init; } = new();

    /// <summary>Models of what people prefer: helpful and harmless.</summary>
    [Description("Models of what people prefer: helpful and harmless.")]
    public RewardModelStageConfig RewardModel { get; init; } = new();

    /// <summary>Reinforcement learning on rules and reward models (R1).</summary>
    [Description("Reinforcement learning on rules and reward models (R1).")]
    public AllScenarioConfig AllScenarioRl { get; init; } = new();

    /// <summary>A smaller model taught by the large one.</summary>
    [Description("A smaller model taught by the large one.")]
    public DistillConfig Distill { get; init; } = new();
}
