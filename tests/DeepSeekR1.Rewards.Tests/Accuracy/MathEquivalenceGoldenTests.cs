using System.Text.Json;
using DeepSeekR1.Testing;

namespace DeepSeekR1.Rewards.Tests;

/// <summary>Pairs whose truth is known by construction, and worked solutions of MATH-500.</summary>
public class MathEquivalenceGoldenTests
{
    private const double MinRight = 0.995;

    private static readonly MathEquivalence _math = new();

    private static readonly AccuracyReward _reward = new();

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

    /// <summary>MATH leaves units, bases, names and spaces out of its short answers; the boxes of the solutions have them.</summary>
    [Fact]
    public async Task Judges_every_solution_of_math500()
    {
        var missed = new List<string>();
        var rows = Scoring.Rows(Reference.Data("math500.jsonl")).ToList();
        foreach (var row in rows)
            if (await Scoring.Of(_reward, Text(row, "solution"), Scoring.Prompt($"${Text(row, "expected_answer")}$")) != 1) missed.Add(Text(row, "id"));
        Assert.True(1 - ((double)missed.Count / rows.Count) >= MinRight, string.Join('\n', missed));
    }

    /// <summary>No two of the short answers of MATH are the same, but for lists in another order.</summary>
    [Fact]
    [Trait("Category", "Slow")] // 80,000 pairs.
    public void Confuses_no_two_answers_of_math500()
    {
        var answers = Scoring.Rows(Reference.Data("math500.jsonl")).Select(row => Text(row, "expected_answer")).Distinct().ToList();
        foreach (string gold in answers)
            foreach (string answer in answers)
                Assert.False(
                    gold != answer && _math.AreEquivalent(gold, answer) == true && !gold.Split(',').Order().SequenceEqual(answer.Split(',').Order()),
                    $"{gold} and {answer}");
    }

    [Fact]
    public async Task Differs_from_trl_only_as_documented()
    {
        var documented = DocumentedDifferences();
        var measured = new List<(string Reward, int Row, string Scores)>();
        var reasoning = new AccuracyReward { Extractor = new AnswerExtractor { RequireThinking = true } };
        int number = 0;
        foreach (var row in Scoring.Rows(Reference.Golden("rewards", "accuracy.jsonl")))
        {
            number++;
            foreach (var (field, reward) in new[] { ("accuracy", _reward), ("reasoning_accuracy", reasoning) })
            {
                double? ours = await Scoring.Of(reward, Text(row, "text"), Scoring.Prompt(Text(row, "solution")));
                var score = row.GetProperty(field);
                double? theirs = score.ValueKind == JsonValueKind.Null ? null : score.GetDouble();
                if (ours != theirs) measured.Add(($"{field}_reward", number, $"{Show(theirs)} → {Show(ours)}"));
            }
        }
        Assert.Equal(documented.Order(), measured.Order());
    }

    /// <summary>The table of docs/rewards.md.</summary>
    private static List<(string Reward, int Row, string Scores)> DocumentedDifferences()
    {
        var differences = new List<(string, int, string)>();
        foreach (string line in File.ReadLines(Reference.Repository("docs", "rewards.md")).Where(line => line.StartsWith('|') && line.Contains(" → ", StringComparison.Ordinal)))
        {
            string[] cells = [.. line.Split('|').Select(cell => cell.Trim())];
            if (cells.Length != 6 || cells[2] == "TRL → ours") continue;
            differences.AddRange(Rows(cells[3]).Select(row => ("accuracy_reward", row, cells[2])));
            differences.AddRange(Rows(cells[4]).Select(row => ("reasoning_accuracy_reward", row, cells[2])));
        }
        return differences;
    }

    /// <summary>"3, 289-336".</summary>
    private static IEnumerable<int> Rows(string cell) => cell.Split(',', StringSplitOptions.RemoveEmptyEntries).SelectMany(range =>
    {
        int[] ends = [.. range.Split('-').Select(int.Parse)];
        return Enumerable.Range(ends[0], ends[^1] - ends[0] + 1);
    });

    private static string Show(double? score) => score is { } value ? $"{value:F0}" : "null";

    private static string Text(JsonElement row, string field) => row.GetProperty(field).GetString()!;

    private static bool Expected(JsonElement row) => row.GetProperty("expected").GetBoolean();
}
