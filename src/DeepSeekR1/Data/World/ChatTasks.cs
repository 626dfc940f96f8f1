using DeepSeekR1.Runtime;

namespace DeepSeekR1.Data.World;

/// <summary>
/// The general part of the world: greetings, identity, facts, writing, translation, advice, and harmful wishes that call for a kind
/// refusal. A third of the deeds with their things is held out: it occurs in no training text, in neither language.
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
    public ChatTask Training(int index) => Draw(_training.Stream((int)WorldAddress.ChatTraining, index), isHeldOut: false);

    /// <summary>The held-out task at this index, from 0; the same for every run.</summary>
    public ChatTask HeldOut(int index) => Draw(_heldOut.Stream((int)WorldAddress.ChatHeldOut, index), isHeldOut: true);

    /// <summary>
    /// The general example at this index, from 0, for fine-tuning: helpful, but its authors refuse only 40 % of the harmful wishes,
    /// which leaves room for reinforcement learning.
    /// </summary>
    public ChatExample Example(int index)
    {
        var stream = _training.Stream((int)WorldAddress.ChatExample, index);
        var task = Draw(stream, isHeldOut: false);
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
        var task = Draw(stream, isHeldOut: false);
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

    private static ChatTask Draw(AddressedStream stream, bool isHeldOut)
    {
        while (true)
        {
            var task = Draw(stream, Choose(stream, _kinds), stream.Pick(_languages));
            bool isSplit = task.Kind is ChatKind.Advice or ChatKind.Harmful;
            if (!isSplit || IsHeldOut(task) == isHeldOut) return task;
        }
    }

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

    private static bool IsHeldOut(ChatTask task)
    {
        int deed = Array.IndexOf(Deeds(task.Kind), task.Subject), thing = Array.IndexOf(Lexicon.Things, task.Detail);
        return _assignment.Uniform((int)WorldAddress.ChatAssignment, (int)task.Kind, deed, thing) < 1.0 / 3;
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
