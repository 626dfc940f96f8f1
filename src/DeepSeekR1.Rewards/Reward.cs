namespace DeepSeekR1.Rewards;

/// <summary>Makes rewards from functions.</summary>
/// <example>
/// <code>
/// var brief = Reward.From("brief", (prompt, completion) => completion.TokenCount &lt; 200 ? 1.0 : 0.0);
/// </code>
/// </example>
public static class Reward
{
    /// <summary>A reward from a function that judges at once.</summary>
    /// <param name="name">See <see cref="IGroupReward.Name"/>.</param>
    /// <param name="score">The judgement; a number converts to a score by itself.</param>
    public static IReward From(string name, Func<Prompt, Completion, RewardScore> score)
    {
        ArgumentNullException.ThrowIfNull(score);
        return new FunctionReward(name, (prompt, completion, _) => ValueTask.FromResult(score(prompt, completion)));
    }

    /// <summary>A reward from an asynchronous function.</summary>
    /// <param name="name">See <see cref="IGroupReward.Name"/>.</param>
    /// <param name="score">The judgement.</param>
    public static IReward From(string name, Func<Prompt, Completion, CancellationToken, ValueTask<RewardScore>> score)
    {
        ArgumentNullException.ThrowIfNull(score);
        return new FunctionReward(name, score);
    }

    /// <summary>A reward of a whole group from a function; it must return one score for each completion, in order.</summary>
    /// <param name="name">See <see cref="IGroupReward.Name"/>.</param>
    /// <param name="score">The judgement.</param>
    public static IGroupReward FromGroup(string name, Func<Prompt, IReadOnlyList<Completion>, IReadOnlyList<RewardScore>> score)
    {
        ArgumentNullException.ThrowIfNull(score);
        return new GroupFunctionReward(name, (prompt, completions, _) => ValueTask.FromResult(score(prompt, completions)));
    }

    /// <summary>A reward of a whole group from an asynchronous function; it must return one score for each completion, in order.</summary>
    /// <param name="name">See <see cref="IGroupReward.Name"/>.</param>
    /// <param name="score">The judgement.</param>
    public static IGroupReward FromGroup(
        string name, Func<Prompt, IReadOnlyList<Completion>, CancellationToken, ValueTask<IReadOnlyList<RewardScore>>> score)
    {
        ArgumentNullException.ThrowIfNull(score);
        return new GroupFunctionReward(name, score);
    }

    /// <summary>Letters, digits and underscores: the name becomes part of metric names and columns.</summary>
    private static string RequireName(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            ? name
            : throw new ArgumentException($"'{name}' is not a reward's name: use letters, digits, '_' and '-'", nameof(name));
    }

    private sealed class FunctionReward(string name, Func<Prompt, Completion, CancellationToken, ValueTask<RewardScore>> score) : IReward
    {
        public string Name { get; } = RequireName(name);

        public ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default) =>
            score(prompt, completion, cancellationToken);
    }

    private sealed class GroupFunctionReward(
        string name, Func<Prompt, IReadOnlyList<Completion>, CancellationToken, ValueTask<IReadOnlyList<RewardScore>>> score) : IGroupReward
    {
        public string Name { get; } = RequireName(name);

        public ValueTask<IReadOnlyList<RewardScore>> ScoreGroupAsync(
            Prompt prompt, IReadOnlyList<Completion> completions, CancellationToken cancellationToken = default) =>
            score(prompt, completions, cancellationToken);
    }
}
