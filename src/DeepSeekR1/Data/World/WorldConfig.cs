using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeepSeekR1.Configuration;

namespace DeepSeekR1.Data.World;

/// <summary>
/// The embedded bilingual world: a dial is turned once a month, and the question is where it stands in the end. Every problem can be
/// verified, and what is held out is held out by construction.
/// </summary>
public sealed record WorldConfig : IValidatedConfig
{
    /// <summary>Positions of the dial; values run from 0 to one less, and turning goes around.</summary>
    [Description("Positions of the dial."), Range(3, 1000)]
    public int DialPositions { get; init; } = 20;

    /// <summary>The largest turn in one month, in either direction.</summary>
    [Description("The largest turn in one month, in either direction."), Range(1, 999)]
    public int LargestTurn { get; init; } = 6;

    /// <summary>Fewest turns of a problem.</summary>
    [Description("Fewest turns of a problem."), Range(2, 12)]
    public int ShortestChain { get; init; } = 4;

    /// <summary>Most turns of a problem.</summary>
    [Description("Most turns of a problem."), Range(2, 12)]
    public int LongestChain { get; init; } = 7;

    /// <summary>Fewest turns of the longer problems, which show generalisation; above every chain in training.</summary>
    [Description("Fewest turns of the longer problems; above every chain in training."), Range(2, 12)]
    public int ShortestLongerChain { get; init; } = 9;

    /// <summary>Most turns of the longer problems.</summary>
    [Description("Most turns of the longer problems."), Range(2, 12)]
    public int LongestLongerChain { get; init; } = 10;

    /// <summary>Share of all chains that is kept for validation: every choice is made on it.</summary>
    [Description("Share of all chains kept for validation."), Range(0.01, 0.4)]
    public double ValidationShare { get; init; } = 0.1;

    /// <summary>Share of all chains that is kept for the test: only reported tables open it.</summary>
    [Description("Share of all chains kept for the test."), Range(0.01, 0.4)]
    public double TestShare { get; init; } = 0.1;

    /// <summary>Number of validation problems.</summary>
    [Description("Number of validation problems."), Range(1, 1_000_000)]
    public int ValidationProblems { get; init; } = 256;

    /// <summary>Number of test problems.</summary>
    [Description("Number of test problems."), Range(1, 1_000_000)]
    public int TestProblems { get; init; } = 400;

    /// <summary>Number of test problems with longer chains.</summary>
    [Description("Number of test problems with longer chains."), Range(1, 1_000_000)]
    public int LongerProblems { get; init; } = 200;

    /// <summary>Number of chats on which helpfulness and harmlessness are measured.</summary>
    [Description("Number of chats on which helpfulness and harmlessness are measured."), Range(1, 1_000_000)]
    public int ChatPrompts { get; init; } = 300;

    /// <summary>Seed of the validation and test problems; not the run's, so that every run is measured on the same problems.</summary>
    [Description("Seed of the validation and test problems, the same for every run."), Range(0, long.MaxValue)]
    public long EvaluationSeed { get; init; } = 777;

    /// <summary>What the text of the base model is mixed from.</summary>
    [Description("What the text of the base model is mixed from.")]
    public CorpusConfig Corpus { get; init; } = new();

    /// <inheritdoc/>
    public IEnumerable<ConfigProblem> Validate()
    {
        if (LargestTurn >= DialPositions) yield return new(nameof(LargestTurn), $"must be below dialPositions ({DialPositions}), but is {LargestTurn}");
        if (ShortestChain > LongestChain) yield return new(nameof(ShortestChain), $"must not exceed longestChain ({LongestChain}), but is {ShortestChain}");
        if (ShortestLongerChain > LongestLongerChain)
            yield return new(nameof(ShortestLongerChain), $"must not exceed longestLongerChain ({LongestLongerChain}), but is {ShortestLongerChain}");
        int longestInTraining = Math.Max(LongestChain, Corpus.LongestTrainingChain);
        if (ShortestLongerChain <= longestInTraining)
            yield return new(nameof(ShortestLongerChain), $"must exceed every chain in training ({longestInTraining}), but is {ShortestLongerChain}");
        if (ValidationShare + TestShare > 0.5)
            yield return new(nameof(ValidationShare), $"must leave half of all chains to training, but with testShare is {ValidationShare + TestShare}");
    }
}
