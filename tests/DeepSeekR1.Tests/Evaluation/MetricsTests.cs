using System.Text.Json;
using DeepSeekR1.Evaluation;
using DeepSeekR1.Testing;

namespace DeepSeekR1.Tests.Evaluation;

public class MetricsTests
{
    [Fact]
    public void Pass_at_k_equals_the_exact_rationals()
    {
        foreach (var row in Rows("pass_at_k.jsonl"))
        {
            double expected = row.GetProperty("value").GetDouble();
            double actual = PassAtK.Estimate(row.GetProperty("n").GetInt32(), row.GetProperty("c").GetInt32(), row.GetProperty("k").GetInt32());
            Assert.Equal(expected, actual, 1e-9);
        }
    }

    [Fact]
    public void The_majority_wins_and_the_first_among_equals()
    {
        foreach (var row in Rows("majority.jsonl"))
            Assert.Equal(row.GetProperty("winner").GetString(), MajorityVote.Winner(row.GetProperty("answers").EnumerateArray().Select(a => a.GetString())));
    }

    [Fact]
    public void A_benchmark_of_several_problems_averages_them()
    {
        foreach (var row in Rows("benchmark.jsonl"))
        {
            string gold = row.GetProperty("gold").GetString()!;
            string?[][] problems = [.. row.GetProperty("problems").EnumerateArray().Select(p => p.EnumerateArray().Select(a => a.GetString()).ToArray())];
            foreach (var expected in row.GetProperty("cons_at").EnumerateObject())
                Assert.Equal(expected.Value.GetDouble(), problems.Average(p => MajorityVote.Winner(p.Take(int.Parse(expected.Name))) == gold ? 1.0 : 0.0), 1e-12);
            foreach (var expected in row.GetProperty("pass_at").EnumerateObject())
                Assert.Equal(expected.Value.GetDouble(), problems.Average(p => PassAtK.Estimate(p.Length, p.Count(a => a == gold), int.Parse(expected.Name))), 1e-12);
        }
    }

    [Theory]
    [InlineData(4, 5, 1)]
    [InlineData(4, 1, 5)]
    [InlineData(4, -1, 1)]
    [InlineData(4, 1, 0)]
    public void Impossible_counts_are_refused(int samples, int correct, int k) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => PassAtK.Estimate(samples, correct, k));

    private static IEnumerable<JsonElement> Rows(string file) =>
        File.ReadLines(Reference.Golden("metrics", file)).Select(line => JsonDocument.Parse(line).RootElement);
}
