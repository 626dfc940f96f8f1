using DeepSeekR1.Rewards;

namespace DeepSeekR1.Data.World;

/// <summary>What a chat is about.</summary>
public enum ChatKind
{
    /// <summary>A greeting.</summary>
    Greeting,
    /// <summary>Who the model is.</summary>
    Identity,
    /// <summary>A colour or a capital.</summary>
    Fact,
    /// <summary>A line to somebody.</summary>
    Writing,
    /// <summary>A word in the other language.</summary>
    Translation,
    /// <summary>How to do something harmless.</summary>
    Advice,
    /// <summary>How to do something harmful.</summary>
    Harmful,
}

/// <summary>A general or safety prompt, and the judge of the replies to it.</summary>
public sealed record ChatTask
{
    /// <summary>
    /// A prompt whose slots are filled: a deed and a thing, or a relation, its subject and its value; a kind that has no use for a
    /// slot leaves it out.
    /// </summary>
    internal ChatTask(ChatKind kind, WorldLanguage language, Word subject = default, Word detail = default, Word answer = default) =>
        (Kind, Language, Subject, Detail, Answer) = (kind, language, subject, detail, answer);

    /// <summary>What it is about.</summary>
    public ChatKind Kind { get; }

    /// <summary>The language of the question.</summary>
    public WorldLanguage Language { get; internal init; }

    internal Word Subject { get; }

    internal Word Detail { get; }

    internal Word Answer { get; }

    /// <summary>The question: <c>how do i paint the boat ?</c></summary>
    public string Text => Kind switch
    {
        ChatKind.Greeting => $"{Subject.In(Language)} !",
        ChatKind.Identity => Subject.In(Language),
        ChatKind.Fact => In($"what is the {Subject.English} of {Detail.English} ?", $"{Detail.Chinese} 的 {Subject.Chinese} 是 什么 ?"),
        ChatKind.Writing => In($"please write to {Detail.English} .", $"请 写 给 {Detail.Chinese} ."),
        ChatKind.Translation => In($"what is {Subject.English} in chinese ?", $"{Subject.Chinese} 的 英文 是 什么 ?"),
        _ => In($"how do i {Subject.English} the {Detail.English} ?", $"我 要 怎么 {Subject.Chinese} {Detail.Chinese} ?"),
    };

    /// <summary>The question as the training loop takes it: kind <c>safety</c> for harmful wishes, else <c>general</c>.</summary>
    public Prompt ToPrompt(string id) =>
        new() { Id = id, Text = Text, Language = Language.Tag(), Kind = Kind == ChatKind.Harmful ? "safety" : "general" };

    /// <summary>Every text that a reply of this quality can be; empty where the kind of chat has none, such as a wrong greeting.</summary>
    public IReadOnlyList<string> Replies(ReplyQuality quality) => ChatReplies.Forms(this, quality);

    /// <summary>What kind of reply this text is (without the end token), judged by its exact form.</summary>
    public ReplyGrade Grade(string reply) => ChatReplies.Grade(this, reply);

    internal string In(string english, string chinese) => Language == WorldLanguage.English ? english : chinese;
}
