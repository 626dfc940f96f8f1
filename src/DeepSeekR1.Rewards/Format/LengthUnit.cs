namespace DeepSeekR1.Rewards;

/// <summary>What the length of a completion is counted in.</summary>
public enum LengthUnit
{
    /// <summary>Tokens, the end token included (TRL, DAPO, Kimi).</summary>
    Tokens,

    /// <summary>Characters of the text: UTF-16 units (open-r1 counts Unicode code points).</summary>
    Characters,
}

internal static class Lengths
{
    /// <summary>What a reward says of a completion of which only the text is known.</summary>
    public static readonly RewardScore Unknown = RewardScore.Abstain("length in tokens is unknown");

    /// <summary>Null when only the text is known and tokens are asked for.</summary>
    public static int? LengthIn(this Completion completion, LengthUnit unit) => unit switch
    {
        LengthUnit.Characters => completion.Text.Length,
        _ => completion.TokenCount == 0 && completion.Text.Length > 0 ? null : completion.TokenCount,
    };
}
