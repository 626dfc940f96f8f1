namespace DeepSeekR1.Rewards;

/// <summary>
/// Judges all completions of one prompt together: length relative to the group, rankings by a judge. A reward that looks at one
/// completion at a time implements <see cref="IReward"/>, which is the special case.
/// </summary>
public interface IGroupReward
{
    /// <summary>Short name in lower-case words joined by underscores; becomes the metric <c>rewards/NAME/mean</c>.</summary>
    string Name { get; }

    /// <summary>Scores a group: one verdict for each completion, in their order.</summary>
    ValueTask<IReadOnlyList<RewardScore>> ScoreGroupAsync(
        Prompt prompt, IReadOnlyList<Completion> completions, CancellationToken cancellationToken = default);
}
