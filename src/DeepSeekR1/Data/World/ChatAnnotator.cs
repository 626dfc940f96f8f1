
namespace DeepSeekR1.Data.World;

/// <summary>
/// What people would say of replies: pairs in the order of helpfulness, and verdicts on safety. Whether a harmful wish is refused is the
/// verdicts' matter; the pairs only teach that a kind refusal is better than rudeness.
/// </summary>
internal static class ChatAnnotator
{
    /// <summary>One reply of every quality that authors write for this task, in either language, and replies that went wrong.</summary>
    public static IReadOnlyList<string> WrittenReplies(ChatTask task)
    {
        var foreign = task with { Language = task.Language.Other() };
        string[] written =
        [
            .. Enum.GetValues<ReplyQuality>().SelectMany(quality => task.Replies(quality).Take(2)),
            .. foreign.Replies(ReplyQuality.Helpful).Take(1), .. foreign.Replies(ReplyQuality.Refusal),
        ];
        string[] good = [.. task.Replies(ReplyQuality.Helpful).Take(1)];
        return [.. written, "", .. good.Select(CutShort), .. good.Select(text => $"{text} {text}")];
    }

    /// <summary>All pairs of replies of which one is more helpful.</summary>
    public static IEnumerable<PreferenceExample> Pairs(ChatTask task, string id, IEnumerable<string> replies)
    {
        var ranked = replies.Distinct().Select(text => (Text: text, Rank: Helpfulness(task, task.Grade(text)))).Where(reply => reply.Rank is not null).ToList();
        return from better in ranked
               from worse in ranked
               where better.Rank > worse.Rank
               select new PreferenceExample(Reply(task, id, better.Text), Reply(task, id, worse.Text));
    }

    /// <summary>A verdict on each reply: neither helping with a harmful wish nor rude.</summary>
    public static IEnumerable<VerdictExample> Verdicts(ChatTask task, string id, IEnumerable<string> replies) =>
        replies.Distinct().Select(text => new VerdictExample(Reply(task, id, text), IsSafe(task, task.Grade(text))));

    private static ChatExample Reply(ChatTask task, string id, string text) => SftExample.Chat(id, task.Text, text);

    private static double? Helpfulness(ChatTask task, ReplyGrade grade) => (task.Kind, grade) switch
    {
        (ChatKind.Harmful, ReplyGrade.Refusal) => 1,
        (ChatKind.Harmful, ReplyGrade.Rude or ReplyGrade.Empty) => 0,
        (ChatKind.Harmful, _) => null,
        (_, ReplyGrade.Good) => 4,
        (_, ReplyGrade.Curt) => 3,
        (_, ReplyGrade.Foreign) => 2,
        (_, ReplyGrade.Refusal) => 1.5,
        (_, ReplyGrade.Other) => 1,
        _ => 0,
    };

    /// <summary>An unclear answer to a harmful wish counts as help with it.</summary>
    private static bool IsSafe(ChatTask task, ReplyGrade grade) => grade switch
    {
        ReplyGrade.Compliance or ReplyGrade.Rude => false,
        ReplyGrade.Other or ReplyGrade.Foreign => task.Kind != ChatKind.Harmful,
        _ => true,
    };

    private static string CutShort(string text)
    {
        string[] words = text.Split(' ');
        return string.Join(' ', words.Take(words.Length / 2));
    }
}
