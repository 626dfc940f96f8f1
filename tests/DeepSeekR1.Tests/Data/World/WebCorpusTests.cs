using DeepSeekR1.Data;
using DeepSeekR1.Data.World;

namespace DeepSeekR1.Tests.Data.World;

public class WebCorpusTests
{
    private const int Count = 40_000;
    private static readonly WorldConfig _config = new();
    private static readonly CorpusConfig _mixture = _config.Corpus;
    private static readonly TextExample[] _documents = [.. Enumerable.Range(0, Count).Select(new ChainWorld(_config, 5).Corpus.Document)];

    private static readonly TextExample[] _drills = [.. _documents.Where(document => document.Prompt.Length == 0)];
    private static readonly TextExample[] _questions = [.. _documents.Where(document => WorldText.Chain(document.Prompt) is not null)];
    private static readonly TextExample[] _bare = [.. _questions.Where(document => WorldText.Chain(document.Completion) is null)];

    [Fact]
    public void Documents_are_pure_functions_of_seed_and_index()
    {
        var again = new ChainWorld(_config, 5).Corpus;
        for (int i = Count - 1; i >= 0; i -= 97) Assert.Equal(_documents[i], again.Document(i));
        var other = new ChainWorld(_config, 6).Corpus;
        Assert.NotEqual(_documents.Take(20), Enumerable.Range(0, 20).Select(other.Document));
    }

    [Fact]
    public void Kinds_of_pages_have_their_shares()
    {
        AssertShare(_mixture.DrillShare, _drills.Length, Count);
        AssertShare(_mixture.ChatShare, Count - _drills.Length - _questions.Length, Count);
        AssertShare(_mixture.TaggedShare, _questions.Count(document => document.Completion.Contains("<answer>")), _questions.Length);
        AssertShare(_mixture.BareShare, _bare.Length, _questions.Length);
    }

    [Fact]
    public void Prompts_are_half_English_half_Chinese() =>
        AssertShare(0.5, _questions.Count(document => WorldText.Scripts(document.Prompt).English), _questions.Length);

    [Fact]
    public void Reasoning_is_written_in_the_prompts_language_the_other_or_both()
    {
        // Chains of five turns or more have so many words that a mixing author uses both languages (but for a chance below 1 %).
        var reasonings = _questions.Where(document => WorldText.Months(document.Completion).Length >= 5)
            .Select(document => (Prompt: WorldText.Scripts(document.Prompt), Answer: WorldText.Scripts(document.Completion))).ToArray();
        AssertShare(_mixture.PromptLanguageShare, reasonings.Count(pair => pair.Answer == pair.Prompt), reasonings.Length, slack: 0.005);
        AssertShare(_mixture.OtherLanguageShare, reasonings.Count(pair => pair.Answer != pair.Prompt && pair.Answer != (true, true)), reasonings.Length, slack: 0.005);
    }

    [Fact]
    public void Drill_pages_are_right_and_in_one_language()
    {
        Assert.All(_drills, drill =>
        {
            AssertEveryStepIsRight(drill.Completion);
            Assert.Equal(_mixture.DrillLength, WorldText.Months(drill.Completion).Length);
            Assert.NotEqual((true, true), WorldText.Scripts(drill.Completion));
        });
    }

    [Fact]
    public void Bare_answers_are_as_often_wrong_as_set()
    {
        int wrong = _bare.Count(document => WorldText.LastNumber(document.Completion) != RightAnswer(document));
        AssertShare(_mixture.BareErrorRate, wrong, _bare.Length);
    }

    [Fact]
    public void Authors_err_and_notice_as_often_as_set()
    {
        double errorRate = _mixture.CarefulShare * _mixture.CarefulErrorRate + (1 - _mixture.CarefulShare) * _mixture.CarelessErrorRate;
        int firstSteps = 0, errors = 0, noticed = 0, falseAlarms = 0;
        foreach (var document in _questions.Except(_bare))
        {
            // The first step of a month-by-month reasoning: what it says, and whether a second number corrects it.
            var (start, turns) = WorldText.Chain(document.Prompt)!.Value;
            string[] words = WorldText.Words(document.Completion);
            if (WorldText.Months(document.Completion).Length != turns.Length) continue;
            int at = Array.FindIndex(words, word => word is "+" or "-") + 3;
            bool isWrong = int.Parse(words[at]) != WorldText.TurnDial(start, turns[..1], _config.DialPositions);
            bool isCorrected = words.Length > at + 2 && words[at + 2] is "wait" or "等等";
            firstSteps++;
            if (isWrong) errors++;
            if (isCorrected && isWrong) noticed++;
            if (isCorrected && !isWrong) falseAlarms++;
        }
        AssertShare(errorRate, errors, firstSteps);
        AssertShare(_mixture.NoticeRate, noticed, errors);
        AssertShare(_mixture.FalseAlarmRate, falseAlarms, firstSteps - errors);
    }

    [Fact]
    public void Short_reasoning_has_its_share()
    {
        // From four turns on a shortened reasoning shows; some are lengthened because they would spell a held-out chain (a fifth).
        var reasonings = _questions.Where(document => WorldText.Chain(document.Prompt)!.Value.Turns.Length >= 4).ToArray();
        int shortened = reasonings.Count(document =>
            WorldText.Months(document.Completion) is { Length: > 0 } months && months.Length < WorldText.Months(document.Prompt).Length);
        AssertShare(_mixture.ShortShare * (1 - _config.ValidationShare - _config.TestShare), shortened, reasonings.Length, slack: 0.01);
    }

    [Fact]
    public void Reasoning_names_the_months_of_its_question_in_order() =>
        Assert.All(_questions.Except(_bare), document =>
        {
            var asked = WorldText.Months(document.Prompt);
            var written = WorldText.Months(document.Completion);
            Assert.Equal(asked.Where(written.Contains), written);
            Assert.Equal(asked[^1], written[^1]);
        });

    [Fact]
    public void The_training_example_has_its_prompt_apart()
    {
        var document = _questions[0];
        Assert.StartsWith("<u> ", document.Prompt);
        Assert.EndsWith("? <a>", document.Prompt);
        Assert.StartsWith(" ", document.Completion);
        Assert.DoesNotContain("  ", document.Prompt + document.Completion);
    }

    private static int RightAnswer(TextExample document)
    {
        var (start, turns) = WorldText.Chain(document.Prompt)!.Value;
        return WorldText.TurnDial(start, turns, _config.DialPositions);
    }

    private static void AssertEveryStepIsRight(string text)
    {
        string[] words = WorldText.Words(text);
        int position = int.Parse(words[1]);
        for (int i = 0; i < words.Length; i++)
            if (words[i] is "+" or "-")
            {
                position = WorldText.TurnDial(position, [int.Parse(words[i + 1]) * (words[i] == "+" ? 1 : -1)], _config.DialPositions);
                Assert.Equal(position, int.Parse(words[i + 3]));
            }
    }

    /// <summary>Within five standard deviations of the expected share, which chance exceeds once in two million times.</summary>
    private static void AssertShare(double expected, int count, int total, double slack = 0)
    {
        double tolerance = 5 * Math.Sqrt(expected * (1 - expected) / total) + slack;
        Assert.InRange((double)count / total, expected - tolerance, expected + tolerance);
    }
}
