namespace DeepSeekR1.Rewards;

/// <summary>
/// The soft punishment of long completions of DAPO (arXiv:2503.14476, equation 13): 0 up to L − C tokens, falling to −1 at L, −1 beyond,
/// with the limit L and the buffer C.
/// </summary>
public sealed class SoftOverlongReward : IReward
{
    /// <param name="maxLength">L, tokens; greater than 0.</param>
    /// <param name="buffer">C, tokens; from 0 to L.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside these bounds.</exception>
    public SoftOverlongReward(int maxLength, int buffer)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxLength);
        ArgumentOutOfRangeException.ThrowIfNegative(buffer);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(buffer, maxLength);
        (MaxLength, Buffer) = (maxLength, buffer);
    }

    /// <inheritdoc/>
    public string Name => "soft_overlong";

    /// <summary>L: from here on the punishment is whole; tokens.</summary>
    public int MaxLength { get; }

    /// <summary>C: over this many tokens the punishment grows.</summary>
    public int Buffer { get; }

    /// <inheritdoc/>
    public ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(completion);
        return ValueTask.FromResult(
            completion.LengthIn(LengthUnit.Tokens) is { } length ? new RewardScore(Punishment(length), $"{length} tokens") : Lengths.Unknown);
    }

    private double Punishment(int length)
    {
        int free = MaxLength - Buffer;
        if (length <= free) return 0;
        return length <= MaxLength ? (double)(free - length) / Buffer : -1;
    }
}
