using DeepSeekR1.Data.World;

namespace DeepSeekR1.Tests.Data.World;

public class ChainWorldTests
{
    private static readonly WorldConfig Config = new();
    private static readonly ChainWorld World = new(Config, 3);

    [Fact]
    public void Answers_are_where_the_dial_stands_in_the_end() =>
        Assert.All([.. World.TrainPrompts(500), .. World.ValidationPrompts(), .. World.TestPrompts(), .. World.LongerPrompts()], prompt =>
        {
            var (start, turns) = WorldText.Chain(prompt.Text)!.Value;
            Assert.Equal(WorldText.TurnDial(start, turns, Config.DialPositions).ToString(), prompt.Answer);
            Assert.All(turns, turn => Assert.InRange(Math.Abs(turn), 1, Config.LargestTurn));
        });

    [Fact]
    public void Problems_have_their_lengths_numbers_and_languages()
    {
        Assert.Equal((256, 400, 200), (World.ValidationPrompts().Length, World.TestPrompts().Length, World.LongerPrompts().Length));
        var lengths = World.TestPrompts().Select(prompt => WorldText.Chain(prompt.Text)!.Value.Turns.Length).Distinct().Order();
        Assert.Equal([4, 5, 6, 7], lengths);
        Assert.All(World.TestPrompts(), prompt =>
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
        var other = new ChainWorld(Config, 4);
        Assert.Equal(World.TestPrompts().Select(prompt => prompt.Text), other.TestPrompts().Select(prompt => prompt.Text));
        Assert.Equal(World.ValidationPrompts().Select(prompt => prompt.Text), other.ValidationPrompts().Select(prompt => prompt.Text));
        Assert.NotEqual(World.TrainProblem(0).Text, other.TrainProblem(0).Text);
        Assert.Equal(World.TrainProblem(17).Text, new ChainWorld(Config, 3).TrainProblem(17).Text);
    }

    [Fact]
    public void Sets_do_not_repeat_one_anothers_draws()
    {
        var texts = World.TestPrompts().Concat(World.ValidationPrompts()).Concat(World.LongerPrompts()).Select(prompt => prompt.Text).ToArray();
        Assert.Equal(texts.Length, texts.Distinct().Count());
    }

    [Fact]
    public void Cold_start_is_complete_right_tagged_and_in_the_questions_language()
    {
        for (int i = 0; i < 300; i++)
        {
            var example = World.ColdStart(i);
            string question = Assert.Single(example.Prompt).Content, answer = Assert.Single(example.Completion).Content;
            var (start, turns) = WorldText.Chain(question)!.Value;
            Assert.Matches("^<think> .+ </think> <answer> [0-9]+ </answer>$", answer);
            Assert.Equal(WorldText.Months(question), WorldText.Months(answer));
            Assert.Equal(WorldText.Scripts(question), WorldText.Scripts(answer));
            Assert.Equal(WorldText.TurnDial(start, turns, Config.DialPositions), WorldText.LastNumber(answer));
        }
    }

    [Fact]
    public void The_vocabulary_covers_every_text_and_nothing_twice()
    {
        var words = World.Vocabulary.Words;
        Assert.Equal(words.Count, words.Distinct().Count());
        Assert.InRange(words.Count, 250, 320);
        Assert.Equal(["<pad>", "<u>", "<a>", "<eos>", "<think>", "</think>", "<answer>", "</answer>", "0", "1"], words.Take(10));

        var known = words.ToHashSet();
        var used = new HashSet<string>();
        for (int i = 0; i < 20_000; i++)
        {
            var document = World.Corpus.Document(i);
            used.UnionWith((document.Prompt + document.Completion).Split(' ', StringSplitOptions.RemoveEmptyEntries));
            used.UnionWith(World.Chats.HeldOut(i).Text.Split(' '));
            used.UnionWith(World.Chats.Example(i).Completion[0].Content.Split(' '));
            used.UnionWith(World.LongerProblem(i).Text.Split(' '));
        }
        Assert.Empty(used.Except(known));
        // The end token and padding are the only words without a place in a text.
        Assert.Equal("<eos> <pad>", string.Join(" ", known.Except(used).Order(StringComparer.Ordinal)));
        Assert.Contains("good_morning", World.Vocabulary.English);
        Assert.Contains("十二月", World.Vocabulary.Chinese);
        Assert.Empty(World.Vocabulary.English.Intersect(World.Vocabulary.Chinese));
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
            "shortestLongerChain" => Config with { ShortestLongerChain = 7 },
            "largestTurn" => Config with { LargestTurn = 20 },
            "shortestChain" => Config with { ShortestChain = 8 },
            _ => Config with { Corpus = new CorpusConfig { BareShare = 0.9 } },
        };
        Assert.Contains(field, Assert.Throws<R1Exception>(() => new ChainWorld(config, 0)).Message);
    }
}
