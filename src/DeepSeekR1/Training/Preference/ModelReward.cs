using DeepSeekR1.Rewards;
using DeepSeekR1.Text;

namespace DeepSeekR1.Training;

/// <summary>
/// Pays what a reward model thinks of a completion: σ(score), between 0 and 1. It computes tensors, so it must be asked on the thread
/// that computes; the group is scored at once.
/// </summary>
/// <param name="name">The reward's name.</param>
/// <param name="judge">The reward model; stays the caller's.</param>
/// <param name="ask">The turns before the answer.</param>
/// <param name="part">What the judge is shown.</param>
public sealed class ModelReward(string name, RewardModel judge, Func<Prompt, IReadOnlyList<ChatMessage>> ask, JudgedPart part) : IGroupReward
{
    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<RewardScore>> ScoreGroupAsync(Prompt prompt, IReadOnlyList<Completion> completions, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var turns = ask(prompt);
        double[] scores = judge.Score([.. completions.Select(completion => judge.Encode(turns, part.Of(completion)))]);
        return new([.. scores.Select(score => (RewardScore)(1 / (1 + Math.Exp(-score))))]);
    }
}
