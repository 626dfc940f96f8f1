using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeepSeekR1.Configuration;
using DeepSeekR1.Data;
using DeepSeekR1.Data.World;
using DeepSeekR1.Models;
using DeepSeekR1.Training;

namespace DeepSeekR1.Stages;

/// <summary>The model that the stages start from.</summary>
public sealed record BaseModelConfig
{
    /// <summary>A Hugging Face folder, or <c>embedded:NAME</c> for a model inside the library; null: the pretrain stage makes one.</summary>
    [Description("A Hugging Face folder, or embedded:NAME for a model inside the library; null: the pretrain stage makes one.")]
    public string? Path { get; init; }

    /// <summary>What the control row base-think forces every answer to begin with; null leaves the row out.</summary>
    [Description("What the control row base-think forces every answer to begin with; null leaves the row out.")]
    public string? ForcedStart { get; init; } = "<think>";

    /// <summary>Policies are trained by a low-rank adapter that is merged when a stage ends; null: their weights are trained.</summary>
    [Description("Policies are trained by a low-rank adapter that is merged when a stage ends; null: their weights are trained.")]
    public LoraConfig? Lora { get; init; }

    /// <summary>Layers are computed again in the backward pass: less memory for about a third more time.</summary>
    [Description("Layers are computed again in the backward pass: less memory for about a third more time.")]
    public bool GradientCheckpointing { get; init; }
}

/// <summary>Where prompts and examples come from. What names no file comes from the embedded world, if there is one.</summary>
public sealed record RecipeData
{
    /// <summary>The embedded world; null where all data is in files.</summary>
    [Description("The embedded world; null where all data is in files.")]
    public WorldConfig? World { get; init; }

    /// <summary>Prompts of reinforcement learning; their system prompt and template hold for validation and test too.</summary>
    [Description("Prompts of reinforcement learning; their systemPrompt and promptTemplate hold for validation and test too.")]
    public DataConfig Prompts { get; init; } = new();

    /// <summary>Prompts on which every choice is made.</summary>
    [Description("Prompts on which every choice is made.")]
    public DataConfig Validation { get; init; } = new();

    /// <summary>Prompts of reported tables only.</summary>
    [Description("Prompts of reported tables only.")]
    public DataConfig Test { get; init; } = new();

    /// <summary>Worked solutions of the cold start.</summary>
    [Description("Worked solutions of the cold start.")]
    public DataConfig ColdStart { get; init; } = new();

    /// <summary>General and safety prompts; their kind says which rewards apply.</summary>
    [Description("General and safety prompts (kind general or safety says which rewards apply); no answers are needed.")]
    public DataConfig General { get; init; } = new();

    /// <summary>General conversations that fine-tuning on curated samples is joined with.</summary>
    [Description("General conversations that fine-tuning on curated samples is joined with.")]
    public DataConfig GeneralExamples { get; init; } = new();

    /// <summary>Pairs of replies that the helpful reward model learns from: prompt, chosen, rejected.</summary>
    [Description("Pairs of replies that the helpful reward model learns from: prompt, chosen, rejected; every tenth is held out.")]
    public DataConfig Preferences { get; init; } = new();

    /// <summary>Replies with verdicts that the safety reward model learns from: prompt, completion, label.</summary>
    [Description("Replies with verdicts that the safety reward model learns from: prompt, completion, label; every tenth is held out.")]
    public DataConfig Verdicts { get; init; } = new();
}

/// <summary>A stage whose policy is looked at while it learns, on the validation prompts.</summary>
public abstract record EvaluatedStageConfig : IValidatedConfig
{
    /// <summary>Steps between evaluations on the validation prompts; 0: none.</summary>
    [Description("Steps between evaluations on the validation prompts; 0: none."), Range(0, int.MaxValue)]
    public int EvaluateEvery { get; init; }

    /// <summary>Samples a prompt in those evaluations.</summary>
    [Description("Samples a prompt in those evaluations."), Range(1, 1024)]
    public int EvaluationSamples { get; init; } = 1;

    /// <summary>The stage ends with the model whose evaluation had the highest of this number, such as <c>eval_accuracy</c>; null: with the last model.</summary>
    [Description("The stage ends with the model whose evaluation had the highest of this number, such as eval_accuracy; null: with the last model.")]
    public string? BestBy { get; init; }

    /// <summary>With <see cref="BestBy"/>, the stage ends early after so many evaluations in a row below the best; 0: never.</summary>
    [Description("With bestBy, the stage ends early after so many evaluations in a row below the best; 0: never."), Range(0, 1_000_000)]
    public int Patience { get; init; }

    /// <inheritdoc/>
    public virtual IEnumerable<ConfigProblem> Validate()
    {
        if (BestBy is not null && EvaluateEvery == 0) yield return new(nameof(BestBy), "needs evaluations: set evaluateEvery");
    }

    /// <summary>What an evaluation is worth, where the best model is kept.</summary>
    internal Func<IReadOnlyDictionary<string, double>, double>? Worth => BestBy is not { } name ? null : values => values.TryGetValue(name, out double value) ? value
        : throw new R1Exception($"bestBy: there is no evaluation '{name}'; there is {string.Join(", ", values.Keys)}.");
}

/// <summary>A stage of reinforcement learning.</summary>
public sealed record ReinforcementConfig : EvaluatedStageConfig
{
    /// <summary>The defaults: an evaluation every tenth step.</summary>
    public ReinforcementConfig() => EvaluateEvery = 10;

    /// <summary>The rewards, summed, each as <c>name:option=value,…</c>; docs/rewards.md has the names.</summary>
    [Description("The rewards, summed, each as \"name:option=value,...\" (option weight: 1).")]
    public IReadOnlyList<string> Rewards { get; init; } = ["accuracy", "format"];

    /// <summary>Rewards that a second, control run of the stage leaves out; empty: no control.</summary>
    [Description("Rewards that a second, control run of the stage leaves out; empty: no control.")]
    public IReadOnlyList<string> Ablate { get; init; } = [];

    /// <summary>The algorithm.</summary>
    [Description("The algorithm.")]
    public GrpoConfig Grpo { get; init; } = new();

    /// <inheritdoc/>
    public override IEnumerable<ConfigProblem> Validate()
    {
        foreach (var problem in base.Validate()) yield return problem;
        if (Rewards.Count == 0) yield return new(nameof(Rewards), "must name at least one reward");
        else if (RewardSpecifications.ProblemOf(Rewards) is { } wrong) yield return new(nameof(Rewards), wrong);
        else if (Ablate.FirstOrDefault(name => Rewards.All(reward => NameOf(reward) != name)) is { } stranger)
            yield return new(nameof(Ablate), $"must name rewards of this stage ({string.Join(", ", Rewards.Select(NameOf))}), but names '{stranger}'");
    }

    /// <summary>The same stage without the rewards of <see cref="Ablate"/>.</summary>
    internal ReinforcementConfig Ablated() => this with { Rewards = [.. Rewards.Where(reward => !Ablate.Contains(NameOf(reward)))], Ablate = [] };

    private static string NameOf(string specification) => specification.Split(':')[0].Trim();
}

/// <summary>The cold start.</summary>
public sealed record ColdStartConfig : EvaluatedStageConfig
{
    /// <summary>Worked solutions that are taken from the embedded world.</summary>
    [Description("Worked solutions that are taken from the embedded world."), Range(1, 1_000_000)]
    public int Examples { get; init; } = 300;

    /// <summary>The algorithm.</summary>
    [Description("The algorithm.")]
    public SftConfig Sft { get; init; } = new();
}

/// <summary>A base model made from nothing on the world's text.</summary>
public sealed record PretrainConfig
{
    /// <summary>The model's shape.</summary>
    [Description("The model's shape.")]
    public DecoderShape Shape { get; init; } = new();

    /// <summary>The algorithm.</summary>
    [Description("The algorithm.")]
    public SftConfig Sft { get; init; } = new();
}

/// <summary>The families of decoders that can be made from nothing.</summary>
public enum DecoderFamily
{
    /// <summary>Llama.</summary>
    Llama,
    /// <summary>Qwen2: as Llama, with biases on queries, keys and values.</summary>
    Qwen2,
}

/// <summary>The shape of a decoder that is made from nothing, with a tied head.</summary>
public sealed record DecoderShape : IValidatedConfig
{
    /// <summary>Its family.</summary>
    [Description("Its family: llama or qwen2.")]
    public DecoderFamily Family { get; init; } = DecoderFamily.Llama;

    /// <summary>Width of the residual stream.</summary>
    [Description("Width of the residual stream."), Range(1, 65536)]
    public int HiddenSize { get; init; } = 64;

    /// <summary>Width of the SwiGLU block.</summary>
    [Description("Width of the SwiGLU block."), Range(1, 1_000_000)]
    public int IntermediateSize { get; init; } = 176;

    /// <summary>Decoder blocks.</summary>
    [Description("Decoder blocks."), Range(1, 1000)]
    public int Layers { get; init; } = 3;

    /// <summary>Query heads.</summary>
    [Description("Query heads."), Range(1, 1024)]
    public int Heads { get; init; } = 4;

    /// <summary>Key and value heads; divides the query heads.</summary>
    [Description("Key and value heads; divides the query heads."), Range(1, 1024)]
    public int KeyValueHeads { get; init; } = 4;

    /// <summary>Longest sequence, prompt and completion together.</summary>
    [Description("Longest sequence, prompt and completion together."), Range(1, 10_000_000)]
    public int ContextLength { get; init; } = 192;

    /// <inheritdoc/>
    public IEnumerable<ConfigProblem> Validate()
    {
        if (HiddenSize % Heads != 0 || HiddenSize / Heads % 2 != 0)
            yield return new(nameof(Heads), $"must cut hiddenSize ({HiddenSize}) into even parts, but is {Heads}");
        if (Heads % KeyValueHeads != 0)
            yield return new(nameof(KeyValueHeads), $"must divide heads ({Heads}), but is {KeyValueHeads}");
    }
}

/// <summary>How a stage saves itself.</summary>
public sealed record CheckpointConfig
{
    /// <summary>Steps between checkpoints; 0: only when the stage is interrupted or ends.</summary>
    [Description("Steps between checkpoints; 0: only when the stage is interrupted or ends."), Range(0, int.MaxValue)]
    public int Every { get; init; } = 20;

    /// <summary>Checkpoints kept; older ones are deleted.</summary>
    [Description("Checkpoints kept; older ones are deleted."), Range(1, 1000)]
    public int Keep { get; init; } = 2;
}
