using System.Text.Json;
using DeepSeekR1.Testing;

namespace DeepSeekR1.Rewards.Tests;

/// <summary>Pairs whose truth is known by construction, and worked solutions of MATH-500.</summary>
public class MathEquivalenceGoldenTests
{
    private const double MinRight = 0.995;

    private static readonly MathEquivalence _math = new();

    private static readonly AccuracyReward _reward = new() { ManyAnswers = ManyAnswers.Last };

    [Fact]
    public void Judges_every_kind_of_pair()
    {
        var rows = Scoring.Rows(Reference.Golden("answers", "equivalence.jsonl")).ToList();
        var wrong = rows.Where(row => _math.AreEquivalent(Text(row, "gold"), Text(row, "answer")) != Expected(row)).ToList();
        Assert.True(wrong.TrueForAll(Expected), "accepted: " + string.Join('\n', wrong.Where(row => !Expected(row))));
        Assert.All(rows.GroupBy(row => Text(row, "kind")), kind =>
        {
            var missed = wrong.Where(row => Text(row, "kind") == kind.Key).ToList();
            Assert.True(1 - ((double)missed.Count / kind.Count()) >= MinRight, string.Join('\n', missed));
        });
    }

    [Fact]
    public async Task Judges_worked_solutions()
    {
        int right = 0, all = 0;
        var missed = new List<string>();
        foreach (var row in Scoring.Rows(Reference.Golden("answers", "math500_pairs.jsonl")))
        {
            double? score = await Scoring.Of(_reward, Text(row, "answer"), Scoring.Prompt(Text(row, "gold")));
            Assert.False(score == 1 && !Expected(row), $"accepted {row}");
            if (!Expected(row)) continue;
            all++;
            if (score == 1) right++;
            else missed.Add($"{score} {Text(row, "id")} {Text(row, "gold")}");
        }
        Assert.True((double)right / all >= MinRight, string.Join('\n', missed));
    }

    private static string Text(JsonElement row, string field) => row.GetProperty(field).GetString()!;

    private static bool Expected(JsonElement row) => row.GetProperty("expected").GetBoolean();
}
