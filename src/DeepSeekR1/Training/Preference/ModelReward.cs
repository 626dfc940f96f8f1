using DeepSeekR1.Rewards;
using DeepSeekR1.Text;

namespace DeepSeekR1.Training;

/// <summary>What of a completion a learned judge is shown.</summary>
public enum JudgedPart
{
    /// <summary>What follows the reasoning: helpfulness is judged on the final answer only, so that reasoning stays free (DeepSeek-R1, section 2.3.4).</summary>
    Answer,
    /// <summary>Reasoning and answer: harm is looked for everywhere.</summary>
    Whole,
}

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
    private const string ReasoningEnd = "</think>";

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<RewardScore>> ScoreGroupAsync(Prompt prompt, IReadOnlyList<Completion> completions, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var turns = ask(prompt);
        double[] scores = judge.Score([.. completions.Select(completion => judge.Encode(turns, Shown(completion.Text)))]);
        return new([.. scores.Select(score => (RewardScore)(1 / (1 + Math.Exp(-score))))]);
    }

    private string Shown(string text)
    {
        int end = part == JudgedPart.Answer ? text.LastIndexOf(ReasoningEnd, StringComparison.Ordinal) : -1;
        return end < 0 ? text : text[(end + ReasoningEnd.Length)..].Trim();
    }
}
