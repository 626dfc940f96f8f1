using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeepSeekR1.Rollouts;

/// <summary>How tokens are drawn. Order of the processors as in transformers: repetition penalty, temperature, top-k, top-p, min-p.</summary>
public sealed record SamplingConfig
{
    /// <summary>Divides the logits; 0 is greedy decoding.</summary>
    [Description("Divides the logits; 0 is greedy decoding."), Range(0, 100)]
    public double Temperature { get; init; } = 1;

    /// <summary>Keeps the k most likely tokens (all ties of the k-th); 0 keeps all.</summary>
    [Description("Keeps the k most likely tokens; 0 keeps all."), Range(0, int.MaxValue)]
    public int TopK { get; init; }

    /// <summary>Keeps the smallest set of tokens whose probability reaches p; 1 keeps all.</summary>
    [Description("Keeps the smallest set of tokens whose probability reaches p; 1 keeps all."), Range(0, 1)]
    public double TopP { get; init; } = 1;

    /// <summary>Drops tokens less likely than this share of the most likely one; 0 keeps all.</summary>
    [Description("Drops tokens less likely than this share of the most likely one; 0 keeps all."), Range(0, 1)]
    public double MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens seen before; 1 changes nothing.</summary>
    [Description("Penalty on tokens seen before; 1 changes nothing."), Range(0.01, 100)]
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Most tokens of a completion, the end token included.</summary>
    [Description("Most tokens of a completion, the end token included."), Range(1, int.MaxValue)]
    public int MaxNewTokens { get; init; } = 256;

    // Smaller temperatures are greedy too: their inverse overflows a float.
    internal bool IsGreedy => Temperature < 1e-37;
}
