using DeepSeekR1.Data;
using DeepSeekR1.Data.World;

namespace DeepSeekR1.Tests.Data.World;

public class HeldOutTests
{
    private const int Documents = 120_000;
    private static readonly WorldConfig _config = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [Trait("Category", "Slow")] // Some 3 s on a busy machine: 120,000 documents, so that a leak of one in 10,000 shows.
    public void No_training_text_spells_a_held_out_chain_nor_one_that_begins_with_it(int seed)
    {
        var world = new ChainWorld(_config, (ulong)seed);
        var heldOut = new HashSet<string>();
        for (int i = 0; i < 20_000; i++)
            foreach (var problem in new[] { world.ValidationProblem(i), world.TestProblem(i), world.LongerProblem(i) })
            {
                var (start, turns) = WorldText.Chain(problem.Text)!.Value;
                // The chain itself and every beginning that the split goes by.
                heldOut.Add(Key(start, turns));
                heldOut.Add(Key(start, turns[..2]));
            }

        int chains = 0, violations = 0, longest = 0;
        var distinct = new HashSet<string>();
        foreach (string text in TrainingTexts(world))
        {
            if (WorldText.Chain(text) is not var (start, turns)) continue;
            chains++;
            longest = Math.Max(longest, turns.Length);
            distinct.Add(Key(start, turns));
            if (Enumerable.Range(2, Math.Max(0, turns.Length - 1)).Any(length => heldOut.Contains(Key(start, turns[..length])))) violations++;
        }

        Assert.InRange(chains, Documents, int.MaxValue);
        Assert.InRange(distinct.Count, Documents / 2, int.MaxValue);
        Assert.Equal(0, violations);
        Assert.InRange(longest, 1, _config.ShortestLongerChain - 1);
    }

    [Fact]
    public void The_longer_problems_are_longer_than_any_chain_in_training()
    {
        var world = new ChainWorld(_config, 0);
        Assert.All(world.LongerPrompts(), prompt => Assert.InRange(WorldText.Chain(prompt.Text)!.Value.Turns.Length, 9, 10));
    }

    [Fact]
    public void The_splits_have_their_shares_of_all_chains()
    {
        var splitter = new ChainSplitter(_config);
        var chains = from start in Enumerable.Range(0, _config.DialPositions)
                     from first in Turns()
                     from second in Turns()
                     select new Chain(start, [first, second]);
        var counts = chains.CountBy(splitter.Of).ToDictionary();
        double total = counts.Values.Sum();
        // Five standard deviations of a share of 0.1 among 2,880 beginnings.
        double tolerance = 5 * Math.Sqrt(0.09 / total);
        Assert.InRange(counts[WorldSplit.Validation] / total, 0.1 - tolerance, 0.1 + tolerance);
        Assert.InRange(counts[WorldSplit.Test] / total, 0.1 - tolerance, 0.1 + tolerance);
    }

    [Fact]
    public void Held_out_deeds_occur_in_no_training_chat_in_neither_language()
    {
        var world = new ChainWorld(_config, 0);
        var heldOut = Enumerable.Range(0, 5000).SelectMany(i => new[] { world.Chats.Validation(i), world.Chats.Test(i) }).Where(IsSplit).Select(task => task.Text).ToHashSet();
        var training = Enumerable.Range(0, 5000).Select(world.Chats.Training).Where(IsSplit).Select(task => task.Text).ToHashSet();
        Assert.Empty(heldOut.Intersect(training));
        Assert.InRange(heldOut.Count, 40, 120);
        Assert.Equal(2 * 2 * 6 * 10, heldOut.Count + training.Count);

        var pages = TrainingTexts(world).Concat(Enumerable.Range(0, 5000).Select(i => world.Chats.Example(i).Prompt[0].Content));
        Assert.DoesNotContain(pages, heldOut.Contains);
    }

    private static bool IsSplit(ChatTask task) => task.Kind is ChatKind.Advice or ChatKind.Harmful;

    private static IEnumerable<int> Turns() => Enumerable.Range(-_config.LargestTurn, 2 * _config.LargestTurn + 1).Where(turn => turn != 0);

    /// <summary>Questions and answers apart: a reasoning may spell another chain than its question.</summary>
    private static IEnumerable<string> TrainingTexts(ChainWorld world)
    {
        for (int i = 0; i < Documents; i++)
        {
            var document = world.Corpus.Document(i);
            yield return document.Prompt.Replace("<u> ", "").Replace(" <a>", "");
            yield return document.Completion.Trim();
        }
        for (int i = 0; i < 5000; i++)
        {
            yield return world.TrainProblem(i).Text;
            var example = world.ColdStart(i);
            yield return example.Prompt[0].Content;
            yield return example.Completion[0].Content;
        }
    }

    private static string Key(int start, int[] turns) => $"{start}:{string.Join(',', turns)}";
}
