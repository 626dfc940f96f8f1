namespace DeepSeekR1.Training;

/// <summary>
/// One sequence ready for the loss. All credit is already decided: the loss is Σ over tokens of the policy objective times
/// <see cref="Credit"/> plus β·KL times <see cref="Normalizer"/>, and knows neither groups nor batches.
/// </summary>
public sealed record TrainingSample : IScoredSequence
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

    /// <summary>[completion] log-probabilities as the sampler reported them, to be compared with the trainer's; empty: unknown.</summary>
    public ReadOnlyMemory<float> SamplerLogProbs { get; init; }

    /// <summary>Length of the completion.</summary>
    public int CompletionLength => Ids.Length - PromptLength;

    /// <summary>True where some token has credit.</summary>
    internal bool HasCredit => Credit.Span.ContainsAnyExcept(0f);

    /// <summary>The places in <see cref="Ids"/> of the completion's tokens that are not masked.</summary>
    int[] IScoredSequence.ScoredPositions()
    {
        var positions = new List<int>(CompletionLength);
        for (int i = 0; i < CompletionLength; i++)
            if (Normalizer.Span[i] != 0) positions.Add(PromptLength + i);
        return [.. positions];
    }

    /// <summary>Checks that the parts fit together.</summary>
    /// <exception cref="ArgumentException">A part has another length than the completion, or there is no prompt to begin from.</exception>
    internal void Validate()
    {
        if (PromptLength < 1 || PromptLength > Ids.Length)
            throw new ArgumentException($"A prompt of {PromptLength} tokens in a sequence of {Ids.Length}: expected at least one and at most all.");
        Check(nameof(Credit), Credit.Length, isOptional: false);
        Check(nameof(Normalizer), Normalizer.Length, isOptional: false);
        Check(nameof(OldLogProbs), OldLogProbs.Length, isOptional: true);
        Check(nameof(ReferenceLogProbs), ReferenceLogProbs.Length, isOptional: true);
        Check(nameof(SamplerLogProbs), SamplerLogProbs.Length, isOptional: true);
    }

    private void Check(string name, int length, bool isOptional)
    {
        if (length != CompletionLength && !(isOptional && length == 0))
            throw new ArgumentException($"{name} has {length} values for a completion of {CompletionLength} tokens.");
    }
}

/// <summary>A sequence some of whose tokens enter a loss.</summary>
internal interface IScoredSequence
{
    /// <summary>Token ids.</summary>
    ReadOnlyMemory<int> Ids { get; }

    /// <summary>Ids before the first that may be scored, which other sequences may begin with as well.</summary>
    int PromptLength => 0;

    /// <summary>Ascending places in <see cref="Ids"/>, from 1, of the tokens whose log-probability enters the loss.</summary>
    int[] ScoredPositions();
}
