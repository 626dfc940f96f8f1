using DeepSeekR1.Rewards;

namespace DeepSeekR1.Telemetry;

/// <summary>One line of <c>completions.jsonl</c>: what the model wrote, and what it was paid for it.</summary>
public sealed record CompletionRecord
{
    /// <summary>The stage's name.</summary>
    public required string Stage { get; init; }

    /// <summary>The step it was sampled in; from 1.</summary>
    public required int Step { get; init; }

    /// <summary>The prompt.</summary>
    public required Prompt Prompt { get; init; }

    /// <summary>The completion.</summary>
    public required Completion Completion { get; init; }

    /// <summary>Each reward's own score, by its name.</summary>
    public required IReadOnlyDictionary<string, RewardScore> Rewards { get; init; }

    /// <summary>Weighted sum of the rewards; null when all abstained.</summary>
    public double? Reward { get; init; }

    /// <summary>What the step credited it with; null outside training.</summary>
    public double? Advantage { get; init; }
}
