using DeepSeekR1.Data.World;

namespace DeepSeekR1.Tests.Data.World;

public class ChainWorldTests
{
    private static readonly WorldConfig _config = new();
    private static readonly ChainWorld _world = new(_config, 3);

    [Fact]
    public void Answers_are_where_the_dial_stands_in_the_end() =>
        Assert.All([.. _world.TrainPrompts(500), .. _world.ValidationPrompts(), .. _world.TestPrompts(), .. _world.LongerPrompts()], prompt =>
        {
            var (start, turns) = WorldText.Chain(prompt.Text)!.Value;
            Assert.Equal(WorldText.TurnDial(start, turns, _config.DialPositions).ToString(), prompt.Answer);
            Assert.All(turns, turn => Assert.InRange(Math.Abs(turn), 1, _config.LargestTurn));
        });

    [Fact]
    public void Problems_have_their_lengths_numbers_and_languages()
    {
        Assert.Equal((256, 400, 200), (_world.ValidationPrompts().Length, _world.TestPrompts().Length, _world.LongerPrompts().Length));
        var lengths = _world.TestPrompts().Select(prompt => WorldText.Chain(prompt.Text)!.Value.Turns.Length).Distinct().Order();
        Assert.Equal([4, 5, 6, 7], lengths);
        Assert.All(_world.TestPrompts(), prompt =>
        {
            Assert.Equal(prompt.Language == "en" ? (true, false) : (false, true), WorldText.Scripts(prompt.Text));
            Assert.Equal("reasoning", prompt.Kind);
            var months = WorldText.Months(prompt.Text);
            Assert.Equal(Enumerable.Range(months[0], months.Length), months);
        });
    }

    [Fact]
    public void Evaluation_problems_are_the_same_for_every_run_and_training_is_not()
    {
        var other = new ChainWorld(_config, 4);
        Assert.Equal(_world.TestPrompts().Select(prompt => prompt.Text), other.TestPrompts().Select(prompt => prompt.Text));
        Assert.Equal(_world.ValidationPrompts().Select(prompt => prompt.Text), other.ValidationPrompts().Select(prompt => prompt.Text));
        Assert.NotEqual(_world.TrainProblem(0).Text, other.TrainProblem(0).Text);
        Assert.Equal(_world.TrainProblem(17).Text, new ChainWorld(_config, 3).TrainProblem(17).Text);
    }

    [Fact]
    public void Sets_do_not_repeat_one_anothers_draws()
    {
        var texts = _world.TestPrompts().Concat(_world.ValidationPrompts()).Concat(_world.LongerPrompts()).Select(prompt => prompt.Text).ToArray();
        Assert.Equal(texts.Length, texts.Distinct().Count());
    }

    [Fact]
    public void Cold_start_is_complete_right_tagged_and_in_the_questions_language()
    {
        for (int i = 0; i < 300; i++)
        {
            var example = _world.ColdStart(i);
            string question = Assert.Single(example.Prompt).Content, answer = Assert.Single(example.Completion).Content;
            var (start, turns) = WorldText.Chain(question)!.Value;
            Assert.Matches("^<think> .+ </think> <answer> [0-9]+ </answer>$", answer);
            Assert.Equal(WorldText.Months(question), WorldText.Months(answer));
            Assert.Equal(WorldText.Scripts(question), WorldText.Scripts(answer));
            Assert.Equal(WorldText.TurnDial(start, turns, _config.DialPositions), WorldText.LastNumber(answer));
        }
    }

    [Fact]
    public void The_vocabulary_covers_every_text_and_nothing_twice()
    {
        var words = _world.Vocabulary.Words;
        Assert.Equal(words.Count, words.Distinct().Count());
        Assert.InRange(words.Count, 250, 320);
        Assert.Equal(["<think>", "</think>", "<answer>", "</answer>", "0", "1"], words.Take(6));

        string[] known = [.. words, "<u>", "<a>"];
        var used = new HashSet<string>();
        for (int i = 0; i < 20_000; i++)
        {
            var document = _world.Corpus.Document(i);
            used.UnionWith((document.Prompt + document.Completion).Split(' ', StringSplitOptions.RemoveEmptyEntries));
            used.UnionWith(_world.Chats.Test(i).Text.Split(' '));
            used.UnionWith(_world.Chats.Example(i).Completion[0].Content.Split(' '));
            used.UnionWith(_world.LongerProblem(i).Text.Split(' '));
        }
        Assert.Empty(used.Except(known));
        Assert.Empty(known.Except(used));
        Assert.Contains("good_morning", _world.Vocabulary.English);
        Assert.Contains("十二月", _world.Vocabulary.Chinese);
        Assert.Empty(_world.Vocabulary.English.Intersect(_world.Vocabulary.Chinese));
    }

    [Theory]
    [InlineData("shortestLongerChain")]
    [InlineData("largestTurn")]
    [InlineData("shortestChain")]
    [InlineData("corpus.bareShare")]
    public void Contradicting_settings_are_named(string field)
    {
        var config = field switch
        {
            "shortestLongerChain" => _config with { ShortestLongerChain = 7 },
            "largestTurn" => _config with { LargestTurn = 20 },
            "shortestChain" => _config with { ShortestChain = 8 },
            _ => _config with { Corpus = new CorpusConfig { BareShare = 0.9 } },
        };
        Assert.Contains(field, Assert.Throws<R1Exception>(() => new ChainWorld(config, 0)).Message);
    }
}
