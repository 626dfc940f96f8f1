using DeepSeekR1.Rewards;
using DeepSeekR1.Text;

namespace DeepSeekR1.Training;

/// <summary>
/// Pays what a reward model thinks of a completion: σ(score), between 0 and 1. It computes tensors: made on a <see cref="Runtime.ComputeThread"/>,
/// it goes back there to compute, whoever asks. The group is scored at once.
/// </summary>
/// <param name="name">The reward's name.</param>
/// <param name="judge">The reward model; stays the caller's.</param>
/// <param name="ask">The turns before the answer.</param>
/// <param name="part">What the judge is shown.</param>
public sealed class ModelReward(string name, RewardModel judge, Func<Prompt, IReadOnlyList<ChatMessage>> ask, JudgedPart part) : IGroupReward
{
    private readonly SynchronizationContext? _computing = SynchronizationContext.Current;
    private readonly Lock _alone = new();

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<RewardScore>> ScoreGroupAsync(Prompt prompt, IReadOnlyList<Completion> completions, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_computing is null || _computing == SynchronizationContext.Current) return Score(prompt, completions);
        var scores = new TaskCompletionSource<IReadOnlyList<RewardScore>>(TaskCreationOptions.RunContinuationsAsynchronously);
        _computing.Post(_ =>
        {
            try
            {
                scores.SetResult(Score(prompt, completions));
            }
            catch (Exception failure)
            {
                scores.SetException(failure);
            }
        }, null);
        return await scores.Task.ConfigureAwait(false);
    }

    private IReadOnlyList<RewardScore> Score(Prompt prompt, IReadOnlyList<Completion> completions)
    {
        var turns = ask(prompt);
        lock (_alone)
        {
            double[] scores = judge.Score([.. completions.Select(completion => judge.Encode(turns, part.Of(completion)))]);
            return [.. scores.Select(score => (RewardScore)(1 / (1 + Math.Exp(-score))))];
        }
    }
}
