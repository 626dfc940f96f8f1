namespace DeepSeekR1.Rewards;

/// <summary>A reward and how much it counts.</summary>
/// <param name="Reward">An <see cref="IReward"/> or a reward of whole groups.</param>
/// <param name="Weight">Factor on its scores; 0 only watches.</param>
public sealed record WeightedReward(IGroupReward Reward, double Weight = 1);

/// <summary>How the scores of several rewards become one.</summary>
public enum RewardAggregation
{
    /// <summary>Σ weight·score over the rewards that did not abstain.</summary>
    Sum,

    /// <summary>Π weight·score, so that a zero gates all others. When one reward abstains nothing can be said: the total is null.</summary>
    Product,
}

/// <summary>What an abstaining reward does to the total of a sum.</summary>
public enum Abstention
{
    /// <summary>It is left out of the sum, as in TRL.</summary>
    Skip,

    /// <summary>The total is null, so that the completion is not trained on.</summary>
    Mask,
}

/// <summary>Several rewards with weights, as one. Immutable; safe to call from many threads.</summary>
/// <example>
/// <code>
/// var rewards = WeightedRewards.Of((new AccuracyReward(), 1.0), (new FormatReward(), 0.5));
/// var scores = await rewards.ScoreAsync(prompt, completions);
/// </code>
/// </example>
public sealed record WeightedRewards
{
    /// <summary>Added to the standard deviation before dividing, as in TRL.</summary>
    private const double NormalizationEpsilon = 1e-4;

    private readonly IReadOnlyList<WeightedReward> _items = [];

    /// <summary>The rewards and their weights, in the order in which scores are reported.</summary>
    /// <exception cref="ArgumentException">Two rewards have the same name, a weight is not finite, or there is no reward.</exception>
    public required IReadOnlyList<WeightedReward> Items
    {
        get => _items;
        init => _items = Require(value);
    }

    /// <summary>Sum (default) or product.</summary>
    public RewardAggregation Aggregation { get; init; } = RewardAggregation.Sum;

    /// <summary>
    /// True: within a group each reward's scores are first brought to mean 0 and standard deviation 1, so that no reward drowns another by
    /// its scale alone (GDPO).
    /// </summary>
    public bool NormalizePerReward { get; init; }

    /// <summary>What an abstaining reward does to a sum.</summary>
    public Abstention Abstention { get; init; } = Abstention.Skip;

    /// <summary>Rewards with weights, summed.</summary>
    public static WeightedRewards Of(params IEnumerable<(IGroupReward Reward, double Weight)> rewards) =>
        new() { Items = [.. rewards.Select(item => new WeightedReward(item.Reward, item.Weight))] };

    /// <summary>The same with one reward more.</summary>
    public WeightedRewards With(IGroupReward reward, double weight = 1) => this with { Items = [.. Items, new WeightedReward(reward, weight)] };

    /// <summary>
    /// Scores all completions of one prompt. A reward that throws or times out does not end the run: its samples get a null total and carry
    /// the exception in <see cref="RewardScore.Failure"/>.
    /// </summary>
    /// <returns>One score for each completion, in their order.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async ValueTask<IReadOnlyList<CompletionScore>> ScoreAsync(
        Prompt prompt, IReadOnlyList<Completion> completions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(completions);
        var pending = Items.Select(item => ScoreOneReward(item.Reward, prompt, completions, cancellationToken)).ToArray();
        var byReward = await Task.WhenAll(pending).ConfigureAwait(false);
        var terms = byReward.Select(Terms).ToArray();

        var scores = new CompletionScore[completions.Count];
        for (int i = 0; i < scores.Length; i++)
        {
            int sample = i;
            scores[i] = new CompletionScore(Total(sample, byReward, terms), [.. byReward.Select(column => column[sample])]);
        }
        return scores;
    }

    private static async Task<IReadOnlyList<RewardScore>> ScoreOneReward(
        IGroupReward reward, Prompt prompt, IReadOnlyList<Completion> completions, CancellationToken cancellationToken)
    {
        if (reward is IReward single)
            return await Task.WhenAll(completions.Select(completion => Guarded(single, prompt, completion, cancellationToken))).ConfigureAwait(false);
        try
        {
            var scores = await reward.ScoreGroupAsync(prompt, completions, cancellationToken).ConfigureAwait(false);
            if (scores.Count == completions.Count) return [.. scores.Select(Checked)];
            throw new InvalidOperationException($"reward '{reward.Name}' gave {scores.Count} scores for {completions.Count} completions");
        }
        catch (Exception failure) when (IsFailure(failure, cancellationToken))
        {
            return [.. Enumerable.Repeat(RewardScore.Failed(failure), completions.Count)];
        }
    }

    private static async Task<RewardScore> Guarded(IReward reward, Prompt prompt, Completion completion, CancellationToken cancellationToken)
    {
        try
        {
            return Checked(await reward.ScoreAsync(prompt, completion, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception failure) when (IsFailure(failure, cancellationToken))
        {
            return RewardScore.Failed(failure);
        }
    }

    /// <summary>Only the caller's own cancellation goes through; a reward's inner time-out is a failure of that reward.</summary>
    private static bool IsFailure(Exception exception, CancellationToken cancellationToken) =>
        exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested;

    private static RewardScore Checked(RewardScore score) => score.Value is { } value && !double.IsFinite(value)
        ? RewardScore.Failed(new NotFiniteNumberException($"the score is {value}"))
        : score;

    /// <summary>One reward's values as they enter the total.</summary>
    private double?[] Terms(IReadOnlyList<RewardScore> scores)
    {
        double?[] values = [.. scores.Select(score => score.Value)];
        if (!NormalizePerReward) return values;
        double[] spoken = [.. values.OfType<double>()];
        double mean = spoken.Length > 0 ? spoken.Average() : 0;
        double deviation = RewardStatistics.StandardDeviation(spoken);
        return [.. values.Select(value => (value - mean) / (deviation + NormalizationEpsilon))];
    }

    private double? Total(int sample, IReadOnlyList<RewardScore>[] byReward, double?[][] terms)
    {
        double total = Aggregation == RewardAggregation.Product ? 1 : 0;
        bool hasSpoken = false;
        for (int r = 0; r < Items.Count; r++)
        {
            if (Items[r].Weight == 0) continue;
            if (byReward[r][sample].Failure is not null) return null;
            if (terms[r][sample] is not { } value)
            {
                if (Aggregation == RewardAggregation.Product || Abstention == Abstention.Mask) return null;
                continue;
            }
            hasSpoken = true;
            total = Aggregation == RewardAggregation.Product ? total * Items[r].Weight * value : total + Items[r].Weight * value;
        }
        return hasSpoken ? total : null;
    }

    private static IReadOnlyList<WeightedReward> Require(IReadOnlyList<WeightedReward> items)
    {
        if (items.Count == 0) throw new ArgumentException("there is no reward", nameof(items));
        foreach (var (reward, weight) in items)
            if (!double.IsFinite(weight)) throw new ArgumentException($"the weight of reward '{reward.Name}' is {weight}", nameof(items));
        var twice = items.GroupBy(item => item.Reward.Name).FirstOrDefault(group => group.Count() > 1);
        return twice is null ? items : throw new ArgumentException($"two rewards are named '{twice.Key}'", nameof(items));
    }
}
