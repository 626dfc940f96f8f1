namespace DeepSeekR1.Training;

/// <summary>
/// One sequence ready for the loss. All credit is already decided: the loss is Σ over tokens of the policy objective times
/// <see cref="Credit"/> plus β·KL times <see cref="Normalizer"/>, and knows neither groups nor batches.
/// </summary>
public sealed record TrainingSample
{
    /// <summary>Prompt and completion ids.</summary>
    public required ReadOnlyMemory<int> Ids { get; init; }

    /// <summary>How many of the ids belong to the prompt; the rest is the completion.</summary>
    public required int PromptLength { get; init; }

    /// <summary>[completion] advantage times normalizer; 0 where a token is masked.</summary>
    public required ReadOnlyMemory<float> Credit { get; init; }

    /// <summary>[completion] the share of the objective that one token has (e.g. 1/(G·|o_i|) for GRPO); 0 where a token is masked.</summary>
    public required ReadOnlyMemory<float> Normalizer { get; init; }

    /// <summary>[completion] log-probabilities under the policy that sampled; empty: the current policy's own, detached (ratio 1).</summary>
    public ReadOnlyMemory<float> OldLogProbs { get; init; }

    /// <summary>[completion] log-probabilities under the reference model; empty without KL.</summary>
    public ReadOnlyMemory<float> ReferenceLogProbs { get; init; }

    /// <summary>Length of the completion.</summary>
    public int CompletionLength => Ids.Length - PromptLength;
}
