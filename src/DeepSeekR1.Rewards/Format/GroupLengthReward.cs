namespace DeepSeekR1.Rewards;

/// <summary>
/// Length relative to the group (Kimi k1.5, arXiv:2501.12599, section 2.3.3): λ = 0.5 − (length − shortest) / (longest − shortest); a correct
/// answer gets λ, a wrong one min(0, λ). 0 for all when all are equally long. Abstains where the accuracy does (open-r1's <c>len_reward</c> takes
/// an unreadable reference for correct).
/// </summary>
/// <param name="accuracy">Decides what is correct: a score of 1 or more.</param>
public sealed class GroupLengthReward(IReward accuracy) : IGroupReward
{
    /// <inheritdoc/>
    public string Name => "group_length";

    /// <summary>What a length is counted in.</summary>
    public LengthUnit Unit { get; init; }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<RewardScore>> ScoreGroupAsync(
        Prompt prompt, IReadOnlyList<Completion> completions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(completions);
        var verdicts = await accuracy.ScoreGroupAsync(prompt, completions, cancellationToken).ConfigureAwait(false);
        int?[] lengths = [.. completions.Select(completion => completion.LengthIn(Unit))];
        if (lengths.Contains(null)) return [.. lengths.Select(_ => Lengths.Unknown)];

        int shortest = lengths.Min() ?? 0, longest = lengths.Max() ?? 0;
        return [.. lengths.Zip(verdicts, (length, verdict) => Score(verdict, length!.Value, shortest, longest))];
    }

    private static RewardScore Score(RewardScore verdict, int length, int shortest, int longest)
    {
        if (verdict.Value is not { } value) return verdict;
        double relative = longest == shortest ? 0 : 0.5 - (double)(length - shortest) / (longest - shortest);
        return new RewardScore(value >= 1 ? relative : Math.Min(0, relative), $"length {length} of {shortest}…{longest}");
    }
}
