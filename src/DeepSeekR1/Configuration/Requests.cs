using DeepSeekR1.Runtime;

namespace DeepSeekR1.Configuration;

/// <summary>What <c>r1 train</c> was asked to do. What is null is left to the config.</summary>
public sealed record TrainRequest
{
    /// <summary>Which stage, or all.</summary>
    public required TrainStage Stage { get; init; }

    /// <summary>A config file or the name of an embedded recipe; null: the default recipe, or the run's own on resume.</summary>
    public string? Config { get; init; }

    /// <summary><c>path=value</c> each, later ones win.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>Folder of the model to start from.</summary>
    public string? Model { get; init; }

    /// <summary>File of prompts or examples.</summary>
    public string? Data { get; init; }

    /// <summary>The run folder; null: the next free one under <c>runs/</c>.</summary>
    public string? Output { get; init; }

    /// <summary>Goes on with the run in <see cref="Output"/>.</summary>
    public bool Resume { get; init; }

    /// <summary>Where to compute.</summary>
    public DeviceChoice? Device { get; init; }

    /// <summary>Seed of every random draw.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Tells at the end of each stage where its time went, by phase of a step.</summary>
    public bool Profile { get; init; }

    /// <summary>Checks everything and tells what the run would cost, but does not run.</summary>
    public bool DryRun { get; init; }
}

/// <summary>What <c>r1 eval</c> was asked to do.</summary>
public sealed record EvalRequest
{
    /// <summary>Folder of the model.</summary>
    public required string Model { get; init; }

    /// <summary>File of prompts with answers.</summary>
    public required string Data { get; init; }

    /// <summary>Samples a prompt.</summary>
    public int Samples { get; init; } = 4;

    /// <summary>A config file or embedded recipe whose evaluation section applies; null: the defaults.</summary>
    public string? Config { get; init; }

    /// <summary><c>path=value</c> each.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>Most prompts to measure, from the first; null: all.</summary>
    public int? Limit { get; init; }

    /// <summary>Where to compute.</summary>
    public DeviceChoice? Device { get; init; }

    /// <summary>Seed of every random draw.</summary>
    public ulong? Seed { get; init; }
}

/// <summary>What <c>r1 sample</c> was asked to do.</summary>
public sealed record SampleRequest
{
    /// <summary>Folder of the model.</summary>
    public required string Model { get; init; }

    /// <summary>The user's message; null: a conversation.</summary>
    public string? Prompt { get; init; }

    /// <summary>A system message before it; null: none.</summary>
    public string? System { get; init; }

    /// <summary>Gives the prompt to the model as it is, without the chat template.</summary>
    public bool Raw { get; init; }

    /// <summary>Answers to the prompt.</summary>
    public int Count { get; init; } = 1;

    /// <summary>0 is greedy.</summary>
    public double Temperature { get; init; } = 0.6;

    /// <summary>Keeps the smallest set of tokens whose probability reaches p.</summary>
    public double TopP { get; init; } = 0.95;

    /// <summary>Keeps the k most likely tokens; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Drops tokens less likely than this share of the most likely one.</summary>
    public double MinP { get; init; }

    /// <summary>Most tokens of the answer.</summary>
    public int MaxTokens { get; init; } = 1024;

    /// <summary>Where to compute.</summary>
    public DeviceChoice? Device { get; init; }

    /// <summary>In what precision.</summary>
    public DtypeChoice? Dtype { get; init; }

    /// <summary>Seed of every random draw.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>What <c>r1 score</c> was asked to do.</summary>
public sealed record ScoreRequest
{
    /// <summary>JSONL file of completions with what is needed to judge them.</summary>
    public required string Data { get; init; }

    /// <summary>The rewards, each as <c>name:option=value,…</c>.</summary>
    public IReadOnlyList<string> Rewards { get; init; } = [];

    /// <summary>Where each row's scores are written as JSONL; null: nowhere.</summary>
    public string? Output { get; init; }
}
