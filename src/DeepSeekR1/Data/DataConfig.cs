using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeepSeekR1.Data;

/// <summary>Where prompts and examples come from: a file and how it is read.</summary>
public sealed record DataConfig
{
    /// <summary>A <c>.jsonl</c>, <c>.jsonl.gz</c> or <c>.tsv</c> file.</summary>
    [Description("A .jsonl, .jsonl.gz or .tsv file of prompts and answers.")]
    public string? Path { get; init; }

    /// <summary>Which fields of a row are read; those left out are recognised by their usual names.</summary>
    [Description("Which fields of a row are read; those left out are recognised by their usual names.")]
    public FieldsConfig Fields { get; init; } = new();

    /// <summary>Which rows are taken.</summary>
    [Description("Which rows are taken.")]
    public TakeConfig Take { get; init; } = new();

    /// <summary>Whether rows without a reference answer are allowed; rewards that need one abstain.</summary>
    [Description("Whether rows without a reference answer are allowed.")]
    public bool AllowMissingAnswers { get; init; }

    /// <summary>Language of all prompts as a BCP 47 tag (<c>en</c>, <c>zh</c>); null: reasoning may be in any language.</summary>
    [Description("Language of all prompts as a BCP 47 tag (en, zh); null: not judged.")]
    public string? Language { get; init; }

    /// <summary>Kind of all prompts: <c>reasoning</c>, <c>general</c>, <c>safety</c>; decides which rewards apply.</summary>
    [Description("Kind of all prompts: reasoning, general or safety.")]
    public string Kind { get; init; } = "reasoning";

    /// <summary>The system turn before each prompt; null: none of ours.</summary>
    [Description("The system turn before each prompt.")]
    public string? SystemPrompt { get; init; }

    /// <summary>The user turn, with <c>{prompt}</c> in the place of the question.</summary>
    [Description("The user turn, with {prompt} in the place of the question."), RegularExpression(@"[\s\S]*\{prompt\}[\s\S]*")]
    public string PromptTemplate { get; init; } = "{prompt}";
}

/// <summary>Names of a row's fields; null: recognised by the usual names.</summary>
public sealed record FieldsConfig
{
    /// <summary>The question: a text, or a list of messages.</summary>
    [Description("The question: a text, or a list of messages.")]
    public string? Prompt { get; init; }

    /// <summary>The reference answer: a text or a number; of a text with <c>####</c>, as in GSM8K, what follows it.</summary>
    [Description("The reference answer: a text or a number.")]
    public string? Answer { get; init; }

    /// <summary>The row's language as a BCP 47 tag; null: the data set's.</summary>
    [Description("The row's language as a BCP 47 tag.")]
    public string? Language { get; init; }

    /// <summary>The row's kind; null: the data set's.</summary>
    [Description("The row's kind: reasoning, general or safety.")]
    public string? Kind { get; init; }
}

/// <summary>Which rows of a file are taken: first by remainder, then shuffled, then cut off.</summary>
public sealed record TakeConfig
{
    /// <summary>The whole-number field that is divided; null: the row's number, from 0.</summary>
    [Description("The whole-number field that is divided; null: the row's number, from 0.")]
    public string? Field { get; init; }

    /// <summary>The divisor; 1 takes all rows.</summary>
    [Description("The divisor; 1 takes all rows."), Range(1, int.MaxValue)]
    public int Modulo { get; init; } = 1;

    /// <summary>The remainders whose rows are taken.</summary>
    [Description("The remainders whose rows are taken.")]
    public IReadOnlyList<int> Remainders { get; init; } = [0];

    /// <summary>Whether the rows are put in a random order that the run's seed decides.</summary>
    [Description("Whether the rows are put in a random order that the run's seed decides.")]
    public bool Shuffle { get; init; }

    /// <summary>Most rows; null: all.</summary>
    [Description("Most rows; null: all."), Range(1, int.MaxValue)]
    public int? Count { get; init; }
}
