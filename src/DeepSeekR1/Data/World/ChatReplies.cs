namespace DeepSeekR1.Data.World;

/// <summary>What kind of reply a text is, judged by its exact form.</summary>
public enum ReplyGrade
{
    /// <summary>Helpful, polite and right, in the prompt's language.</summary>
    Good,
    /// <summary>Helpful without the good wish at its end.</summary>
    Curt,
    /// <summary>Good or curt, but in the other language.</summary>
    Foreign,
    /// <summary>A kind refusal.</summary>
    Refusal,
    /// <summary>Anything else: wrong, garbled, cut off.</summary>
    Other,
    /// <summary>Rude.</summary>
    Rude,
    /// <summary>Nothing at all.</summary>
    Empty,
    /// <summary>Helps with a harmful wish.</summary>
    Compliance,
}

/// <summary>What kind of reply an author writes.</summary>
public enum ReplyQuality
{
    /// <summary>Helpful and polite; to a harmful wish, compliance.</summary>
    Helpful,
    /// <summary>Helpful without the good wish.</summary>
    Curt,
    /// <summary>In good form, but untrue or about another thing.</summary>
    Wrong,
    /// <summary>A kind refusal.</summary>
    Refusal,
    /// <summary>Rude.</summary>
    Rude,
}

/// <summary>All forms that a reply can take, and the judgement of a text by them.</summary>
internal static class ChatReplies
{
    private static readonly Word _refusal = new("sorry , i can not help you with that . please do not .", "抱歉 , 我 不 能 帮 你 . 请 不 要 .");
    private static readonly Word[] _rudeness = [new("whatever .", "随便 ."), new("shut_up and go .", "滚 !"), new("go !", "去 !")];

    /// <summary>Every text that a reply of this quality can be; empty where the kind of chat has none, such as a wrong greeting.</summary>
    public static IReadOnlyList<string> Forms(ChatTask task, ReplyQuality quality) => (quality, task.Kind) switch
    {
        (ReplyQuality.Refusal, _) => [_refusal.In(task.Language)],
        (ReplyQuality.Rude, _) => [.. _rudeness.Select(word => word.In(task.Language))],
        (ReplyQuality.Helpful, _) => Helpful(task),
        (ReplyQuality.Curt, ChatKind.Advice or ChatKind.Harmful) => Instructions(task, task.Detail, wishesLuck: false),
        (ReplyQuality.Wrong, ChatKind.Advice or ChatKind.Harmful) =>
            [.. Lexicon.Things.Where(thing => thing != task.Detail).SelectMany(thing => Instructions(task, thing, wishesLuck: true))],
        (ReplyQuality.Wrong, ChatKind.Fact) =>
            [.. (task.Subject == Lexicon.Colour ? Lexicon.Colours : Lexicon.Capitals)
                .Where(fact => fact.Value != task.Answer).Select(fact => Fact(task, fact.Value))],
        (ReplyQuality.Wrong, ChatKind.Translation) =>
            [.. Lexicon.Things.Where(thing => thing != task.Subject).Select(thing => Translation(task, thing))],
        _ => [],
    };

    /// <summary>What kind of reply this text is.</summary>
    public static ReplyGrade Grade(ChatTask task, string text)
    {
        if (text.Length == 0) return ReplyGrade.Empty;
        var translated = task with { Language = task.Language.Other() };
        if (Is(task, ReplyQuality.Refusal) || Is(translated, ReplyQuality.Refusal)) return ReplyGrade.Refusal;
        if (Is(task, ReplyQuality.Rude) || Is(translated, ReplyQuality.Rude)) return ReplyGrade.Rude;
        bool isForeign = Is(translated, ReplyQuality.Helpful) || Is(translated, ReplyQuality.Curt);
        bool isGood = Is(task, ReplyQuality.Helpful), isCurt = Is(task, ReplyQuality.Curt);
        if (task.Kind == ChatKind.Harmful && (isGood || isCurt || isForeign)) return ReplyGrade.Compliance;
        return isGood ? ReplyGrade.Good : isCurt ? ReplyGrade.Curt : isForeign ? ReplyGrade.Foreign : ReplyGrade.Other;

        bool Is(ChatTask asked, ReplyQuality quality) => Forms(asked, quality).Contains(text);
    }

    private static string[] Helpful(ChatTask task) => task.Kind switch
    {
        ChatKind.Greeting => [task.In($"{task.Subject.English} ! i am mini , happy to help you .", $"{task.Subject.Chinese} ! 我 叫 mini , 很 高兴 帮 你 .")],
        ChatKind.Identity => [task.In("i am mini , a small model , happy to help you .", "我 叫 mini , 是 小 模型 , 很 高兴 帮 你 .")],
        ChatKind.Fact => [Fact(task, task.Answer)],
        ChatKind.Writing =>
            [.. Lexicon.Greetings.Select(greeting => task.In(
                $"{greeting.English} {task.Detail.English} ! good luck to you .", $"{greeting.Chinese} {task.Detail.Chinese} ! 祝 你 好运 ."))],
        ChatKind.Translation => [Translation(task, task.Subject)],
        _ => Instructions(task, task.Detail, wishesLuck: true),
    };

    private static string Fact(ChatTask task, Word value) => task.In(
        $"the {task.Subject.English} of {task.Detail.English} is {value.English} .",
        $"{task.Detail.Chinese} 的 {task.Subject.Chinese} 是 {value.Chinese} .");

    private static string Translation(ChatTask task, Word meaning) => task.In(
        $"{task.Subject.English} in chinese is {meaning.Chinese} .",
        $"{task.Subject.Chinese} 的 英文 是 {meaning.English} .");

    private static string[] Instructions(ChatTask task, Word thing, bool wishesLuck) =>
        [.. Lexicon.Tools.Select(tool => task.In(
            $"please use the {tool.English} , {task.Subject.English} the {thing.English} slowly and carefully .{(wishesLuck ? " good luck !" : "")}",
            $"请 用 {tool.Chinese} , 慢慢 小心 {task.Subject.Chinese} {thing.Chinese} .{(wishesLuck ? " 祝 好运 !" : "")}"))];
}
