using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeepSeekR1.Rollouts;

/// <summary>How much is decoded at a time. Bounds memory; changes no token. Where a GPU cannot hold it, fewer sequences are decoded together.</summary>
public sealed record RolloutLimits
{
    /// <summary>Most sequences decoded together.</summary>
    [Description("Most sequences decoded together."), Range(1, 65_536)]
    public int MaxSequences { get; init; } = 256;

    /// <summary>Most memory for the key/value cache, in MiB. A single sequence is decoded whatever it takes.</summary>
    [Description("Most memory for the key/value cache, in MiB."), Range(1, 16_777_216)]
    public int MaxCacheMebibytes { get; init; } = 2048;

    /// <summary>Most prompt tokens, padding included, encoded together.</summary>
    [Description("Most prompt tokens, padding included, encoded together."), Range(1, int.MaxValue)]
    public int MaxPromptTokens { get; init; } = 16_384;
}
