namespace DeepSeekR1.Rewards;

/// <summary>
/// Wraps rewards: each method gives a new reward and leaves the given one as it is. A reward of single completions stays one.
/// </summary>
/// <example>
/// <code>
/// IReward judge = new MyJudge().WithTimeout(TimeSpan.FromSeconds(20)).Cached().Clamped(0, 1);
/// </code>
/// </example>
public static class RewardDecorators
{
    /// <summary>The same reward under another name.</summary>
    public static IReward Named(this IReward reward, string name)
    {
        ArgumentNullException.ThrowIfNull(reward);
        return Reward.From(name, reward.ScoreAsync);
    }

    /// <summary>The same reward under another name.</summary>
    public static IGroupReward Named(this IGroupReward reward, string name)
    {
        ArgumentNullException.ThrowIfNull(reward);
        return reward is IReward single ? single.Named(name) : Reward.FromGroup(name, reward.ScoreGroupAsync);
    }

    /// <summary>The same reward for prompts of these kinds (<see cref="Prompt.Kind"/>); it abstains from all others, unasked.</summary>
    public static IGroupReward OnlyFor(this IGroupReward reward, params string[] kinds)
    {
        ArgumentNullException.ThrowIfNull(reward);
        return Reward.FromGroup(reward.Name, (prompt, completions, cancellationToken) => kinds.Contains(prompt.Kind)
            ? reward.ScoreGroupAsync(prompt, completions, cancellationToken)
            : new([.. completions.Select(_ => RewardScore.Abstain($"not for {prompt.Kind} prompts"))]));
    }

    /// <summary>factor · score + offset.</summary>
    public static IReward Scaled(this IReward reward, double factor, double offset = 0) => reward.Mapped((_, _, score) => Scale(score, factor, offset));

    /// <summary>factor · score + offset.</summary>
    public static IGroupReward Scaled(this IGroupReward reward, double factor, double offset = 0) =>
        reward.Mapped((_, _, score) => Scale(score, factor, offset));

    /// <summary>Scores below <paramref name="min"/> become it, and those above <paramref name="max"/> that.</summary>
    /// <exception cref="ArgumentException"><paramref name="min"/> is greater than <paramref name="max"/>.</exception>
    public static IReward Clamped(this IReward reward, double min, double max)
    {
        RequireOrder(min, max);
        return reward.Mapped((_, _, score) => Clamp(score, min, max));
    }

    /// <summary>Scores below <paramref name="min"/> become it, and those above <paramref name="max"/> that.</summary>
    /// <exception cref="ArgumentException"><paramref name="min"/> is greater than <paramref name="max"/>.</exception>
    public static IGroupReward Clamped(this IGroupReward reward, double min, double max)
    {
        RequireOrder(min, max);
        return reward.Mapped((_, _, score) => Clamp(score, min, max));
    }

    /// <summary>Shows every verdict to <paramref name="log"/>, which must be safe to call from many threads.</summary>
    public static IReward Logged(this IReward reward, Action<Prompt, Completion, RewardScore> log)
    {
        ArgumentNullException.ThrowIfNull(log);
        return reward.Mapped((prompt, completion, score) => Log(log, prompt, completion, score));
    }

    /// <summary>Shows every verdict to <paramref name="log"/>, which must be safe to call from many threads.</summary>
    public static IGroupReward Logged(this IGroupReward reward, Action<Prompt, Completion, RewardScore> log)
    {
        ArgumentNullException.ThrowIfNull(log);
        return reward.Mapped((prompt, completion, score) => Log(log, prompt, completion, score));
    }

    /// <summary>
    /// Throws <see cref="TimeoutException"/> when a verdict takes longer. The reward's token is cancelled then; a reward that computes without
    /// looking at it is left behind on its thread.
    /// </summary>
    /// <param name="reward">What is wrapped.</param>
    /// <param name="timeout">For one completion.</param>
    /// <param name="time">The clock; null takes the system's.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is not greater than zero.</exception>
    public static IReward WithTimeout(this IReward reward, TimeSpan timeout, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(reward);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        return Reward.From(reward.Name, (prompt, completion, cancellation) =>
            Within(timeout, time ?? TimeProvider.System, reward.Name, token => reward.ScoreAsync(prompt, completion, token), cancellation));
    }

    /// <summary>As <see cref="WithTimeout(IReward, TimeSpan, TimeProvider?)"/>; a reward of groups has the time for the whole group.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is not greater than zero.</exception>
    public static IGroupReward WithTimeout(this IGroupReward reward, TimeSpan timeout, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(reward);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        if (reward is IReward single) return single.WithTimeout(timeout, time);
        return Reward.FromGroup(reward.Name, (prompt, completions, cancellation) =>
            Within(timeout, time ?? TimeProvider.System, reward.Name, token => reward.ScoreGroupAsync(prompt, completions, token), cancellation));
    }

    /// <summary>
    /// Remembers verdicts by prompt and completion text, so that equal completions are judged once. Failures are not remembered. For slow
    /// rewards that depend on the text alone.
    /// </summary>
    /// <param name="reward">What is wrapped.</param>
    /// <param name="capacity">How many verdicts are kept; the oldest is forgotten first.</param>
    public static IReward Cached(this IReward reward, int capacity = 10_000)
    {
        ArgumentNullException.ThrowIfNull(reward);
        return new CachedReward(reward, capacity);
    }

    private static IReward Mapped(this IReward reward, Func<Prompt, Completion, RewardScore, RewardScore> map)
    {
        ArgumentNullException.ThrowIfNull(reward);
        return Reward.From(reward.Name, async (prompt, completion, token) =>
            map(prompt, completion, await reward.ScoreAsync(prompt, completion, token).ConfigureAwait(false)));
    }

    private static IGroupReward Mapped(this IGroupReward reward, Func<Prompt, Completion, RewardScore, RewardScore> map)
    {
        ArgumentNullException.ThrowIfNull(reward);
        if (reward is IReward single) return single.Mapped(map);
        return Reward.FromGroup(reward.Name, async (prompt, completions, token) =>
        {
            var scores = await reward.ScoreGroupAsync(prompt, completions, token).ConfigureAwait(false);
            return [.. scores.Select((score, i) => map(prompt, completions[i], score))];
        });
    }

    private static RewardScore Scale(RewardScore score, double factor, double offset) => score with { Value = score.Value * factor + offset };

    private static RewardScore Clamp(RewardScore score, double min, double max) =>
        score.Value is { } value ? score with { Value = Math.Clamp(value, min, max) } : score;

    private static void RequireOrder(double min, double max)
    {
        if (!(min <= max)) throw new ArgumentException($"the bounds {min} and {max} are the wrong way round", nameof(min));
    }

    private static RewardScore Log(Action<Prompt, Completion, RewardScore> log, Prompt prompt, Completion completion, RewardScore score)
    {
        log(prompt, completion, score);
        return score;
    }

    private static async ValueTask<T> Within<T>(
        TimeSpan timeout, TimeProvider time, string name, Func<CancellationToken, ValueTask<T>> score, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            // On a thread of the pool, so that a reward which never awaits cannot hold up the caller.
            var judging = Task.Run(() => score(either.Token).AsTask(), CancellationToken.None);
            return await judging.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"reward '{name}' took longer than {timeout.TotalSeconds:0.###} s");
        }
    }
}
