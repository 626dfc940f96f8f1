using System.Text.Json;

namespace DeepSeekR1.Rewards;

/// <summary>A question put to the model, with what is needed to judge its answers.</summary>
public sealed record Prompt
{
    /// <summary>Names the prompt within its data set, e.g. <c>svamp.jsonl:17</c>; shown in messages and logs.</summary>
    public required string Id { get; init; }

    /// <summary>The question as the user wrote it, before any chat template.</summary>
    public required string Text { get; init; }

    /// <summary>The reference ("gold") answer; null where there is none to compare with.</summary>
    public string? Answer { get; init; }

    /// <summary>Language in which the reasoning is wanted, as a BCP 47 tag (<c>en</c>, <c>zh</c>); null: the language of the text.</summary>
    public string? Language { get; init; }

    /// <summary>What kind of prompt it is (<c>reasoning</c>, <c>general</c>, <c>safety</c>, …); decides which rewards apply.</summary>
    public string Kind { get; init; } = "reasoning";

    /// <summary>Every other field of the data set's row, as it stood there.</summary>
    public IReadOnlyDictionary<string, JsonElement> Fields { get; init; } = new Dictionary<string, JsonElement>();
}
