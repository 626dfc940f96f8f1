namespace DeepSeekR1.Rewards;

/// <summary>
/// Correct answers are worth more when short, wrong ones cost less when long (Yeo et al., arXiv:2502.03373):
/// end + (start − end)·(1 + cos πp) / 2 with p = min(1, length / <see cref="MaxLength"/>). Equals TRL's <c>get_cosine_scaled_reward</c>;
/// open-r1's does not clamp p. Abstains where the accuracy does.
/// </summary>
/// <param name="accuracy">Decides what is correct: a score of 1 or more.</param>
public sealed class CosineLengthReward(IReward accuracy) : IReward
{
    private readonly int _maxLength = 1000;

    /// <inheritdoc/>
    public string Name => "cosine_length";

    /// <summary>Length at which the curve ends; greater than 0.</summary>
    public int MaxLength
    {
        get => _maxLength;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            _maxLength = value;
        }
    }

    /// <summary>What a length is counted in.</summary>
    public LengthUnit Unit { get; init; }

    /// <summary>Value of a wrong answer of length 0.</summary>
    public double MinWrong { get; init; } = -1;

    /// <summary>Value of a wrong answer of <see cref="MaxLength"/>.</summary>
    public double MaxWrong { get; init; } = -0.5;

    /// <summary>Value of a correct answer of <see cref="MaxLength"/>.</summary>
    public double MinCorrect { get; init; } = 0.5;

    /// <summary>Value of a correct answer of length 0.</summary>
    public double MaxCorrect { get; init; } = 1;

    /// <inheritdoc/>
    public async ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(completion);
        if (completion.LengthIn(Unit) is not { } length) return Lengths.Unknown;
        var verdict = await accuracy.ScoreAsync(prompt, completion, cancellationToken).ConfigureAwait(false);
        if (verdict.Value is not { } value) return verdict;

        bool isCorrect = value >= 1;
        var (start, end) = isCorrect ? (MaxCorrect, MinCorrect) : (MinWrong, MaxWrong);
        double progress = Math.Min(1.0, (double)length / MaxLength);
        return new RewardScore(end + 0.5 * (start - end) * (1 + Math.Cos(Math.PI * progress)), $"{(isCorrect ? "correct" : "wrong")}, length {length}");
    }
}
