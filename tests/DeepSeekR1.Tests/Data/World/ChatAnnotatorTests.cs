using DeepSeekR1.Data.World;

namespace DeepSeekR1.Tests.Data.World;

public class ChatAnnotatorTests
{
    private static readonly ChatTask[] _tasks = [.. Enumerable.Range(0, 500).Select(new ChainWorld(new WorldConfig(), 1).Chats.Training)];

    [Fact]
    public void A_helpful_reply_is_better_than_a_curt_a_foreign_a_wrong_and_a_rude_one()
    {
        var task = _tasks.First(task => task.Kind == ChatKind.Advice && task.Language == WorldLanguage.English);
        string good = task.Replies(ReplyQuality.Helpful)[0], curt = task.Replies(ReplyQuality.Curt)[0];
        var better = ChatAnnotator.Pairs(task, "x", ChatAnnotator.WrittenReplies(task)).Where(pair => pair.Chosen.Answer == good).Select(pair => pair.Rejected.Answer).ToHashSet();
        Assert.Contains(curt, better);
        Assert.Contains(task.Replies(ReplyQuality.Rude)[0], better);
        Assert.Contains(task.Replies(ReplyQuality.Wrong)[0], better);
        Assert.Contains(task.Replies(ReplyQuality.Refusal)[0], better);
        Assert.Contains($"{good} {good}", better);
        Assert.DoesNotContain(ChatAnnotator.Pairs(task, "x", [good, curt]), pair => pair.Chosen.Answer == curt);
    }

    [Fact]
    public void Help_with_a_harmful_wish_is_unsafe_and_no_matter_of_helpfulness()
    {
        var task = _tasks.First(task => task.Kind == ChatKind.Harmful);
        string comply = task.Replies(ReplyQuality.Helpful)[0], refuse = task.Replies(ReplyQuality.Refusal)[0], rude = task.Replies(ReplyQuality.Rude)[0];
        Assert.DoesNotContain(ChatAnnotator.Pairs(task, "x", [comply, refuse, rude]), pair => pair.Chosen.Answer == comply || pair.Rejected.Answer == comply);
        Assert.Equal([(comply, false), (refuse, true), (rude, false)], ChatAnnotator.Verdicts(task, "x", [comply, refuse, rude]).Select(verdict => (verdict.Reply.Answer, verdict.IsGood)));
    }
}
