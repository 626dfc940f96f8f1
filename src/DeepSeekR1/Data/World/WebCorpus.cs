using DeepSeekR1.Runtime;

namespace DeepSeekR1.Data.World;

/// <summary>
/// The endless text that the base model is pretrained on. Document i is a pure function of the seed and i. Questions are given and
/// carry no loss, so that the model learns to answer; drill pages are learned whole.
/// </summary>
public sealed class WebCorpus
{
    private readonly CorpusConfig _mixture;
    private readonly ProblemGenerator _problems;
    private readonly ReasoningWriter _writer;
    private readonly AddressedRandom _random;

    internal WebCorpus(WorldConfig config, ProblemGenerator problems, AddressedRandom random)
    {
        _mixture = config.Corpus;
        _problems = problems;
        _writer = new ReasoningWriter(config.DialPositions);
        _random = random;
    }

    /// <summary>The document at this index, from 0.</summary>
    public TextExample Document(int index)
    {
        var stream = _random.Stream((int)WorldAddress.WebDocument, index);
        string id = $"world/web:{index}";
        double kind = stream.Uniform();
        if (kind < _mixture.DrillShare) return new TextExample(id, "", Drill(stream));
        var (question, answer) = kind < _mixture.DrillShare + _mixture.ChatShare ? ChatTasks.WebPage(stream) : QuestionPage(stream);
        return new TextExample(id, WorldVocabulary.Ask(question), " " + answer);
    }

    /// <summary>A textbook page: a worked chain in one language, always right.</summary>
    private string Drill(AddressedStream stream)
    {
        Voice say = stream.Chance(0.5) ? Speak(WorldLanguage.English) : Speak(WorldLanguage.Chinese);
        var chain = _problems.Chain(stream, WorldSplit.Train, _mixture.DrillLength);
        int firstMonth = ProblemGenerator.FirstMonth(stream, chain.Length);
        var steps = chain.Positions(_problems.DialPositions)
            .Select((position, i) => ReasoningWriter.Step(Lexicon.Months[firstMonth + i], chain.Turns[i], position, say));
        return string.Join(' ', steps.Prepend($"{say(Lexicon.Start)} {chain.Start} ."));
    }

    private (string Question, string Answer) QuestionPage(AddressedStream stream)
    {
        var problem = _problems.Problem(stream, WorldSplit.Train, _mixture.ShortestChain, _mixture.LongestChain);
        var style = Style(stream, problem.Chain);
        Voice say = VoiceFor(stream, problem.Language);
        var diligence = new Diligence(
            stream.Chance(_mixture.CarefulShare) ? _mixture.CarefulErrorRate : _mixture.CarelessErrorRate,
            _mixture.NoticeRate, _mixture.FalseAlarmRate);
        var (reasoning, result) = style != ReasoningStyle.Bare ? _writer.Write(stream, problem, style, say, diligence)
            : ("", stream.Chance(_mixture.BareErrorRate) ? _writer.Slip(stream, problem.Answer) : problem.Answer);
        return (problem.Text, Page(stream, reasoning, result, say));
    }

    private ReasoningStyle Style(AddressedStream stream, Chain chain)
    {
        double u = stream.Uniform();
        if (u < _mixture.BareShare) return ReasoningStyle.Bare;
        if (u >= _mixture.BareShare + _mixture.ShortShare) return ReasoningStyle.Long;
        // A shortened reasoning spells another chain, which may not be a held-out one either.
        var spelled = chain.Keeping(i => ReasoningWriter.IsWritten(ReasoningStyle.Short, i, chain.Length));
        return _problems.Splitter.Of(spelled) == WorldSplit.Train ? ReasoningStyle.Short : ReasoningStyle.Long;
    }

    private Voice VoiceFor(AddressedStream stream, WorldLanguage prompt)
    {
        double u = stream.Uniform();
        if (u < _mixture.PromptLanguageShare) return Speak(prompt);
        if (u < _mixture.PromptLanguageShare + _mixture.OtherLanguageShare) return Speak(prompt.Other());
        return word => stream.Chance(0.5) ? word.English : word.Chinese;
    }

    private string Page(AddressedStream stream, string reasoning, int result, Voice say)
    {
        if (stream.Chance(_mixture.TaggedShare)) return Tagged(reasoning, result);
        bool isSpelledOut = reasoning.Length == 0 || stream.Chance(0.7);
        string conclusion = isSpelledOut
            ? $"{say(Lexicon.The)} {say(Lexicon.Answer)} {say(Lexicon.Is)} {result} ."
            : $"{say(Lexicon.So)} {result} .";
        return reasoning.Length == 0 ? conclusion : $"{reasoning} {conclusion}";
    }

    /// <summary>The think/answer shape.</summary>
    internal static string Tagged(string reasoning, int result) =>
        $"<think> {(reasoning.Length == 0 ? "" : reasoning + " ")}</think> <answer> {result} </answer>";

    internal static Voice Speak(WorldLanguage language) => word => word.In(language);
}
