namespace DeepSeekR1.Rewards;

/// <summary>How a judge is asked.</summary>
public sealed record JudgeOptions
{
    /// <summary>Requests under way at the same time.</summary>
    public int MaxConcurrency { get; init; } = 4;

    /// <summary>Requests a minute; null: as many as can be.</summary>
    public int? RequestsPerMinute { get; init; }

    /// <summary>Attempts at a verdict before the reward fails: the service may be down, or the reply no verdict.</summary>
    public int MaxAttempts { get; init; } = 4;

    /// <summary>Wait before the second attempt; it doubles with each.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Most tokens of a reply.</summary>
    public int MaxReplyTokens { get; init; } = 256;

    /// <summary>Where replies are kept, one file for each distinct question; null: nowhere.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>Price of a million tokens that the judge reads.</summary>
    public decimal InputPrice { get; init; }

    /// <summary>Price of a million tokens that the judge writes.</summary>
    public decimal OutputPrice { get; init; }

    /// <summary>The clock; null takes the system's.</summary>
    public TimeProvider? Time { get; init; }
}

/// <summary>What a judge has cost so far.</summary>
/// <param name="Requests">Requests that were answered.</param>
/// <param name="CacheHits">Verdicts that needed no request.</param>
/// <param name="Retries">Attempts that failed.</param>
/// <param name="InputTokens">Tokens read, as the service counts them.</param>
/// <param name="OutputTokens">Tokens written.</param>
/// <param name="Cost">In the currency of the prices.</param>
/// <param name="Seconds">Time waited for answers, summed over requests.</param>
public sealed record JudgeUsage(long Requests, long CacheHits, long Retries, long InputTokens, long OutputTokens, decimal Cost, double Seconds);
