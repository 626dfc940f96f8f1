using DeepSeekR1.Rewards;

namespace DeepSeekR1.Rollouts;

/// <summary>A prompt with the ids the model reads: chat template applied, tokenised once and never again.</summary>
/// <param name="Prompt">What was asked.</param>
/// <param name="Ids">The prompt's token ids, the opening of the answer included.</param>
/// <param name="Index">The prompt's place in its data set; part of the address of every random draw.</param>
public sealed record EncodedPrompt(Prompt Prompt, ReadOnlyMemory<int> Ids, int Index);

/// <summary>One completion as it was sampled: ids and the log-probabilities they were drawn with. Tokens in, tokens out.</summary>
public sealed record Rollout
{
    /// <summary>The prompt's ids.</summary>
    public required ReadOnlyMemory<int> PromptIds { get; init; }

    /// <summary>The completion's ids, the end token included when there is one.</summary>
    public required ReadOnlyMemory<int> Ids { get; init; }

    /// <summary>How many of the first ids were forced upon the completion instead of drawn (e.g. <c>&lt;think&gt;</c>).</summary>
    public int ForcedLength { get; init; }

    /// <summary>
    /// [completion] true for ids that were put into it instead of drawn: what a tool answered, what an environment showed. They are
    /// read and never trained on. Empty: none.
    /// </summary>
    public ReadOnlyMemory<bool> IsObserved { get; init; }

    /// <summary>
    /// Log-probability of each id under the policy at the sampling temperature, before any truncation (top-k, top-p, min-p)
    /// or repetition penalty: what the loss calls "old". 0 for forced and observed ids. Empty when greedy.
    /// </summary>
    public required ReadOnlyMemory<float> LogProbs { get; init; }

    /// <summary>True for an id that the policy drew, so that it can be trained on.</summary>
    public bool IsDrawn(int token) => token >= ForcedLength && (IsObserved.IsEmpty || !IsObserved.Span[token]);

    /// <summary>Text of the ids without special tokens, and how it ended.</summary>
    public required Completion Completion { get; init; }
}

/// <summary>All rollouts of one prompt.</summary>
public sealed record RolloutGroup(EncodedPrompt Prompt, IReadOnlyList<Rollout> Rollouts);

/// <summary>A group with a score for each of its rollouts.</summary>
public sealed record ScoredGroup(RolloutGroup Group, IReadOnlyList<CompletionScore> Scores);
