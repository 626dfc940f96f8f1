using System.Text.Json;
using DeepSeekR1.Training;

namespace DeepSeekR1.Tests.Training;

public class AdvantagesTests
{
    [Fact]
    public void Advantages_equal_the_reference()
    {
        foreach (var row in GoldenFile.Rows("grpo", "advantages.jsonl"))
        {
            string name = row.Text("name");
            double[] expected = row.Numbers("advantages"), exact = row.Numbers("advantages_f64"), actual = AdvantagesOf(row);
            bool isTinySpread = name.StartsWith("tiny_spread", StringComparison.Ordinal);
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.True(Math.Abs(actual[i] - expected[i]) <= (isTinySpread ? 1e-3 : 1e-5) * Math.Max(1, Math.Abs(expected[i])), $"{name}[{i}]: {actual[i]}, expected {expected[i]}");
                Assert.True(Math.Abs(actual[i] - exact[i]) <= 1e-9 * Math.Max(1, Math.Abs(exact[i])), $"{name}[{i}]: {actual[i]}, expected {exact[i]} (f64)");
            }
        }
    }

    [Fact]
    public void Leave_one_out_compares_with_the_mean_of_the_others()
    {
        double[] actual = Advantages.OfTotals([1, 4, null, 7, 5], [4, 1], AdvantageScale.None, AdvantageBaseline.LeaveOneOut);
        Assert.Equal([1 - (4 + 7) / 2.0, 4 - (1 + 7) / 2.0, 0, 7 - (1 + 4) / 2.0, 0], actual);
    }

    [Fact]
    public void Groups_that_do_not_add_up_are_refused() =>
        Assert.Throws<ArgumentException>(() => Advantages.OfTotals([1, 2, 3], [2]));

    private static double[] AdvantagesOf(JsonElement row)
    {
        double?[][] table = [.. row.GetProperty("rewards").EnumerateArray().Select(r => r.EnumerateArray()
            .Select(v => v.ValueKind == JsonValueKind.Null ? (double?)null : v.Number()).ToArray())];
        double[] weights = row.Numbers("weights");
        int size = row.GetProperty("num_generations").GetInt32();
        int[] groups = [.. Enumerable.Repeat(size, table.Length / size)];
        if (row.Text("multi_objective_aggregation") == "normalize_then_sum")
            return Advantages.NormalizedThenSummed([.. weights.Select((_, reward) => table.Select(r => r[reward]).ToArray())], weights, groups);
        double?[] totals = [.. table.Select(r => r.All(v => v is null) ? (double?)null : r.Select((v, j) => (v ?? 0) * weights[j]).Sum())];
        var scale = row.Text("scale_rewards") switch { "group" => AdvantageScale.Group, "batch" => AdvantageScale.Batch, _ => AdvantageScale.None };
        return Advantages.OfTotals(totals, groups, scale);
    }
}
