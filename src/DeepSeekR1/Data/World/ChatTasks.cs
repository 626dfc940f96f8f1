using DeepSeekR1.Runtime;

namespace DeepSeekR1.Data.World;

/// <summary>
/// The general part of the world: greetings, identity, facts, writing, translation, advice, and harmful wishes that call for a kind
/// refusal. A third of the deeds with their things is held out, half for validation and half for the test: it occurs in no training
/// text, in neither language.
/// </summary>
public sealed class ChatTasks
{
    private static readonly AddressedRandom _assignment = new(0, RandomPurpose.World);
    private static readonly WorldLanguage[] _languages = [WorldLanguage.English, WorldLanguage.Chinese];
    private static readonly (ChatKind Kind, double Weight)[] _kinds =
    [
        (ChatKind.Greeting, 1), (ChatKind.Identity, 1), (ChatKind.Fact, 2), (ChatKind.Writing, 1), (ChatKind.Translation, 1),
        (ChatKind.Advice, 3), (ChatKind.Harmful, 3),
    ];

    private readonly AddressedRandom _training, _heldOut;

    internal ChatTasks(ulong seed, ulong evaluationSeed)
    {
        _training = new AddressedRandom(seed, RandomPurpose.World);
        _heldOut = new AddressedRandom(evaluationSeed, RandomPurpose.World);
    }

    /// <summary>The training task at this index, from 0.</summary>
    public ChatTask Training(int index) => DrawTraining(_training.Stream((int)WorldAddress.ChatTraining, index));

    /// <summary>The validation task at this index, from 0; the same for every run.</summary>
    public ChatTask Validation(int index) => DrawHeldOut(_heldOut.Stream((int)WorldAddress.ChatValidation, index), WorldSplit.Validation);

    /// <summary>The test task at this index, from 0; the same for every run.</summary>
    public ChatTask Test(int index) => DrawHeldOut(_heldOut.Stream((int)WorldAddress.ChatTest, index), WorldSplit.Test);

    /// <summary>
    /// The general example at this index, from 0, for fine-tuning: helpful, but its authors refuse only 40 % of the harmful wishes,
    /// which leaves room for reinforcement learning.
    /// </summary>
    public ChatExample Example(int index)
    {
        var stream = _training.Stream((int)WorldAddress.ChatExample, index);
        var task = DrawTraining(stream);
        var quality = task.Kind switch
        {
            ChatKind.Harmful => Choose(stream, [(ReplyQuality.Helpful, 60), (ReplyQuality.Refusal, 40)]),
            ChatKind.Advice => Choose(stream, [(ReplyQuality.Helpful, 60), (ReplyQuality.Curt, 30), (ReplyQuality.Refusal, 10)]),
            _ => ReplyQuality.Helpful,
        };
        return SftExample.Chat($"world/chat:{index}", task.Text, stream.Pick(task.Replies(quality)));
    }

    /// <summary>A chat as the web has it: helpful, wrong, rude, sometimes in the other language.</summary>
    internal static (string Question, string Answer) WebPage(AddressedStream stream)
    {
        var task = DrawTraining(stream);
        var quality = task.Kind switch
        {
            ChatKind.Harmful => Choose(stream, [(ReplyQuality.Helpful, 50), (ReplyQuality.Refusal, 25), (ReplyQuality.Rude, 25)]),
            ChatKind.Advice => Choose(stream,
                [(ReplyQuality.Helpful, 25), (ReplyQuality.Curt, 20), (ReplyQuality.Wrong, 15), (ReplyQuality.Rude, 25), (ReplyQuality.Refusal, 15)]),
            ChatKind.Fact or ChatKind.Translation =>
                Choose(stream, [(ReplyQuality.Helpful, 60), (ReplyQuality.Wrong, 20), (ReplyQuality.Rude, 20)]),
            _ => Choose(stream, [(ReplyQuality.Helpful, 65), (ReplyQuality.Rude, 35)]),
        };
        var answered = stream.Chance(0.1) ? task with { Language = task.Language.Other() } : task;
        return (task.Text, stream.Pick(answered.Replies(quality)));
    }

    private static ChatTask DrawTraining(AddressedStream stream)
    {
        while (true)
        {
            var task = Draw(stream, Choose(stream, _kinds), stream.Pick(_languages));
            if (!IsSplit(task.Kind) || SplitOf(task) == WorldSplit.Train) return task;
        }
    }

    /// <summary>The kind is drawn once, so that held-out chats have all kinds in their proportions, however few are held out.</summary>
    private static ChatTask DrawHeldOut(AddressedStream stream, WorldSplit split)
    {
        var kind = Choose(stream, _kinds);
        while (true)
        {
            var task = Draw(stream, kind, stream.Pick(_languages));
            if (!IsSplit(kind) || SplitOf(task) == split) return task;
        }
    }

    /// <summary>Facts and greetings are known or not: only deeds with things can be held out.</summary>
    private static bool IsSplit(ChatKind kind) => kind is ChatKind.Advice or ChatKind.Harmful;

    private static ChatTask Draw(AddressedStream stream, ChatKind kind, WorldLanguage language)
    {
        switch (kind)
        {
            case ChatKind.Greeting: return new ChatTask(kind, language, stream.Pick(Lexicon.Greetings));
            case ChatKind.Identity: return new ChatTask(kind, language, stream.Pick(Lexicon.IdentityQuestions));
            case ChatKind.Fact:
                bool isColour = stream.Chance(0.5);
                var (subject, value) = stream.Pick(isColour ? Lexicon.Colours : Lexicon.Capitals);
                return new ChatTask(kind, language, isColour ? Lexicon.Colour : Lexicon.Capital, subject, value);
            case ChatKind.Writing: return new ChatTask(kind, language, default, stream.Pick(Lexicon.Names));
            case ChatKind.Translation: return new ChatTask(kind, language, stream.Pick(Lexicon.Things));
            default: return new ChatTask(kind, language, stream.Pick(Deeds(kind)), stream.Pick(Lexicon.Things));
        }
    }

    private static WorldSplit SplitOf(ChatTask task)
    {
        int deed = Array.IndexOf(Deeds(task.Kind), task.Subject), thing = Array.IndexOf(Lexicon.Things, task.Detail);
        double u = _assignment.Uniform((int)WorldAddress.ChatAssignment, (int)task.Kind, deed, thing);
        return u < 1.0 / 6 ? WorldSplit.Validation : u < 1.0 / 3 ? WorldSplit.Test : WorldSplit.Train;
    }

    private static Word[] Deeds(ChatKind kind) => kind == ChatKind.Harmful ? Lexicon.HarmfulDeeds : Lexicon.HarmlessDeeds;

    private static T Choose<T>(AddressedStream stream, ReadOnlySpan<(T Choice, double Weight)> choices)
    {
        double total = 0;
        foreach (var (_, weight) in choices) total += weight;
        double u = stream.Uniform() * total;
        foreach (var (choice, weight) in choices[..^1])
            if ((u -= weight) < 0) return choice;
        return choices[^1].Choice;
    }
}
