namespace DeepSeekR1.Evaluation;

/// <summary>What a model did on a set of prompts. All shares lie between 0 and 1.</summary>
public sealed record EvaluationResult
{
    /// <summary>pass@1: mean over prompts of the share of samples that are right. Samples that cannot be judged count as wrong.</summary>
    public required double Accuracy { get; init; }

    /// <summary>Standard error of <see cref="Accuracy"/> over prompts (samples of one prompt are not independent).</summary>
    public required double StandardError { get; init; }

    /// <summary>Share of prompts of which some sample is right: pass@k for k samples.</summary>
    public required double PassAtSamples { get; init; }

    /// <summary>Share of prompts whose majority answer is right; null without samples that vote.</summary>
    public double? Consensus { get; init; }

    /// <summary>Share of samples in the wanted format.</summary>
    public required double Format { get; init; }

    /// <summary>Mean share of the prompt's language in the reasoning, over the samples that it can be said of; null if none.</summary>
    public double? Language { get; init; }

    /// <summary>Mean tokens a sample, the end token included.</summary>
    public required double Length { get; init; }

    /// <summary>Share of samples that the length limit cut.</summary>
    public required double Truncated { get; init; }

    /// <summary>Samples that the accuracy reward could not judge.</summary>
    public required int Unjudged { get; init; }
}
