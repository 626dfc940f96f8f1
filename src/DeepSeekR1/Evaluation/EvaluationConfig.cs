using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeepSeekR1.Configuration;
using DeepSeekR1.Rollouts;

namespace DeepSeekR1.Evaluation;

/// <summary>How a model is measured (DeepSeek-R1, section 3: temperature 0.6, pass@1 as a mean over samples, consensus by majority).</summary>
public sealed record EvaluationConfig : IValidatedConfig
{
    /// <summary>Samples a prompt whose mean is pass@1.</summary>
    [Description("Samples a prompt whose mean is pass@1."), Range(1, 1024)]
    public int Samples { get; init; } = 4;

    /// <summary>Samples a prompt that vote (cons@k); 0 leaves the column out.</summary>
    [Description("Samples a prompt that vote (cons@k); 0 leaves the column out."), Range(0, 1024)]
    public int ConsensusSamples { get; init; } = 16;

    /// <summary>How the samples are drawn; the greedy column has temperature 0.</summary>
    [Description("How the samples are drawn; the greedy column has temperature 0.")]
    public SamplingConfig Sampling { get; init; } = new() { Temperature = 0.6 };

    /// <summary>Most tokens of an answer to a longer prompt; 0: as many as of any other.</summary>
    [Description("Most tokens of an answer to a longer prompt; 0: as many as of any other."), Range(0, int.MaxValue)]
    public int LongerMaxNewTokens { get; init; }

    /// <summary>How much is decoded at a time: bounds memory.</summary>
    [Description("How much is decoded at a time: bounds memory.")]
    public RolloutLimits Limits { get; init; } = new();

    /// <summary>The reward that says whether an answer is right.</summary>
    [Description("The reward that says whether an answer is right, with its options.")]
    public string Accuracy { get; init; } = "accuracy";

    /// <summary>The reward that says whether an answer has the wanted format.</summary>
    [Description("The reward that says whether an answer has the wanted format, with its options.")]
    public string Format { get; init; } = "format";

    /// <summary>The reward that says how much of the reasoning is in the prompt's language.</summary>
    [Description("The reward that says how much of the reasoning is in the prompt's language, with its options.")]
    public string Language { get; init; } = "language";

    /// <inheritdoc/>
    public IEnumerable<ConfigProblem> Validate()
    {
        foreach (var (property, specification) in new[] { (nameof(Accuracy), Accuracy), (nameof(Format), Format), (nameof(Language), Language) })
            if (RewardSpecifications.ProblemOf(specification) is { } problem) yield return new(property, problem);
    }
}
