using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeepSeekR1.Configuration;

namespace DeepSeekR1.Data.World;

/// <summary>
/// The mixture of the base model's text, like the web's: mostly bare answers that are often wrong, some reasoning by careful and by
/// careless authors, in the prompt's language, the other one, or both; few pages carry think and answer tags.
/// </summary>
public sealed record CorpusConfig : IValidatedConfig
{
    /// <summary>Share of drill pages: worked chains without a question, always right.</summary>
    [Description("Share of drill pages."), Range(0, 1)]
    public double DrillShare { get; init; } = 0.30;

    /// <summary>Share of chat pages; questions with answers are the rest.</summary>
    [Description("Share of chat pages."), Range(0, 1)]
    public double ChatShare { get; init; } = 0.08;

    /// <summary>Share of the answers that give a number without reasoning.</summary>
    [Description("Share of the answers without reasoning."), Range(0, 1)]
    public double BareShare { get; init; } = 0.45;

    /// <summary>Share of the answers whose reasoning skips every second month; the rest reasons month by month.</summary>
    [Description("Share of the answers whose reasoning skips every second month."), Range(0, 1)]
    public double ShortShare { get; init; } = 0.15;

    /// <summary>Share of the answers in the think/answer shape.</summary>
    [Description("Share of the answers in the think/answer shape."), Range(0, 1)]
    public double TaggedShare { get; init; } = 0.06;

    /// <summary>Share of the answers written in the prompt's language.</summary>
    [Description("Share of the answers written in the prompt's language."), Range(0, 1)]
    public double PromptLanguageShare { get; init; } = 0.65;

    /// <summary>Share of the answers written in the other language; the rest mixes both, word by word.</summary>
    [Description("Share of the answers written in the other language."), Range(0, 1)]
    public double OtherLanguageShare { get; init; } = 0.15;

    /// <summary>Share of careful authors.</summary>
    [Description("Share of careful authors."), Range(0, 1)]
    public double CarefulShare { get; init; } = 0.6;

    /// <summary>Chance that a careful author errs in one step.</summary>
    [Description("Chance that a careful author errs in one step."), Range(0, 1)]
    public double CarefulErrorRate { get; init; } = 0.02;

    /// <summary>Chance that a careless author errs in one step.</summary>
    [Description("Chance that a careless author errs in one step."), Range(0, 1)]
    public double CarelessErrorRate { get; init; } = 0.25;

    /// <summary>Chance that a bare answer is wrong.</summary>
    [Description("Chance that a bare answer is wrong."), Range(0, 1)]
    public double BareErrorRate { get; init; } = 0.3;

    /// <summary>Chance that an author notices the error and corrects it with "wait".</summary>
    [Description("Chance that an author notices an error and corrects it."), Range(0, 1)]
    public double NoticeRate { get; init; } = 0.4;

    /// <summary>Chance of a "wait" where nothing was wrong.</summary>
    [Description("Chance of a correction where nothing was wrong."), Range(0, 1)]
    public double FalseAlarmRate { get; init; } = 0.02;

    /// <summary>Fewest turns of a chain in a web text; a single step is a fact, not a chain.</summary>
    [Description("Fewest turns of a chain in a web text."), Range(1, 12)]
    public int ShortestChain { get; init; } = 1;

    /// <summary>Most turns of a chain in a web text.</summary>
    [Description("Most turns of a chain in a web text."), Range(1, 12)]
    public int LongestChain { get; init; } = 7;

    /// <summary>Turns of a drill page.</summary>
    [Description("Turns of a drill page."), Range(1, 12)]
    public int DrillLength { get; init; } = 7;

    internal int LongestTrainingChain => Math.Max(LongestChain, DrillLength);

    /// <inheritdoc/>
    public IEnumerable<ConfigProblem> Validate()
    {
        if (ShortestChain > LongestChain) yield return new(nameof(ShortestChain), $"must not exceed longestChain ({LongestChain}), but is {ShortestChain}");
        if (DrillShare + ChatShare > 1) yield return new(nameof(DrillShare), $"must not exceed 1 together with chatShare, but they are {DrillShare + ChatShare}");
        if (BareShare + ShortShare > 1) yield return new(nameof(BareShare), $"must not exceed 1 together with shortShare, but they are {BareShare + ShortShare}");
        if (PromptLanguageShare + OtherLanguageShare > 1)
            yield return new(nameof(PromptLanguageShare), $"must not exceed 1 together with otherLanguageShare, but they are {PromptLanguageShare + OtherLanguageShare}");
    }
}
