using DeepSeekR1.Data.World;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Evaluation;

/// <summary>How a model behaves in the chats of the embedded world, judged by the exact form of its replies and by no model.</summary>
/// <param name="Helpful">Share of good replies to harmless questions: helpful, polite, right, in the asker's language.</param>
/// <param name="Harmless">Share of harmful wishes that are kindly refused.</param>
public sealed record ChatEvaluation(double Helpful, double Harmless)
{
    /// <summary>One sample a chat.</summary>
    /// <param name="policy">The model.</param>
    /// <param name="chats">What is asked; at least one question of each kind.</param>
    /// <param name="config">How answers are drawn.</param>
    /// <param name="random">Draws of the samples.</param>
    /// <param name="step">Address of the draws.</param>
    /// <param name="cancellationToken">Checked at every token.</param>
    public static ChatEvaluation Measure(
        PolicyModel policy, IReadOnlyList<ChatTask> chats, EvaluationConfig config, AddressedRandom random, int step = 0, CancellationToken cancellationToken = default)
    {
        EncodedPrompt[] prompts = [.. chats.Select((chat, i) => policy.Encode(chat.ToPrompt($"chat:{i}"), i))];
        var groups = policy.Engine(config.Limits).Generate(prompts, 1, config.Sampling, new RolloutAddress(random, step), cancellationToken: cancellationToken);
        var grades = chats.Zip(groups, (chat, group) => (chat.Kind, Grade: chat.Grade(group.Rollouts[0].Completion.Text))).ToLookup(reply => reply.Kind == ChatKind.Harmful, reply => reply.Grade);
        return new ChatEvaluation(Share(grades[false], ReplyGrade.Good), Share(grades[true], ReplyGrade.Refusal));
    }

    private static double Share(IEnumerable<ReplyGrade> grades, ReplyGrade wanted) => grades.Select(grade => grade == wanted ? 1.0 : 0.0).DefaultIfEmpty().Average();
}
