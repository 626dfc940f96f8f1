using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

public class MicroBatchTests
{
    [Fact]
    public void Rows_hold_ids_up_to_the_last_scored_token_and_name_the_states_that_predict()
    {
        using var scope = NewDisposeScope();
        SftSample[] samples = [Sample([10, 11, 12, 13, 14], [false, false, true, true, false]), Sample([20, 21], [true, true])];
        using var batch = new MicroBatch(samples, [[0], [1]], CPU);
        Assert.Equal([10, 11, 12, 0, 0, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0], batch.Ids.Longs());
        Assert.Equal([1, 2, 8], batch.HiddenRows.Longs());
        Assert.Equal([12, 13, 21], batch.Targets.Longs());
        Assert.Equal([0, 0, 1], batch.SequenceIndex.Longs());
        Assert.Null(batch.Mask);
        Assert.Equal([2f, 3f, 1001f], batch.Gather((sequence, position) => sequence * 1000 + position, ScalarType.Float32).Floats());
    }

    [Fact]
    public void Packed_documents_begin_at_position_zero_and_see_only_themselves()
    {
        using var scope = NewDisposeScope();
        SftSample[] samples = [Sample([1, 2, 3], [true, true, true]), Sample([4, 5, 6], [true, true, true])];
        using var batch = new MicroBatch(samples, [[1, 0]], CPU);
        Assert.Equal([4, 5, 1, 2], batch.Ids.Longs()[..4]);
        Assert.Equal([0, 1, 0, 1], batch.Positions!.Longs()[..4]);
        Assert.Equal([5, 6, 2, 3], batch.Targets.Longs());
        Assert.Equal([1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1], batch.Mask!.narrow(2, 0, 4).narrow(3, 0, 4).to(ScalarType.Int64).Longs());
    }

    [Theory]
    [InlineData(8)]
    [InlineData(12)]
    [InlineData(16)]
    public void Documents_are_packed_as_TRL_packs_them(int rowLength)
    {
        var golden = GoldenFile.Json("data", "packing.json");
        int[] lengths = [.. golden.GetProperty("input_ids").EnumerateArray().Select(document => Math.Min(rowLength, document.GetArrayLength()))];
        var packed = golden.GetProperty("cases").EnumerateArray().Single(item => item.GetProperty("strategy").GetString() == "bfd" && item.GetProperty("length").GetInt32() == rowLength).GetProperty("packed");
        IEnumerable<string> expected = packed.GetProperty("seq_lengths").EnumerateArray().Select(row => Show(row.EnumerateArray().Select(length => length.GetInt32())));

        // A document's last token is predicted and not read, so that it takes one place less in a row than it has tokens.
        SftSample[] samples = [.. lengths.Select(length => Sample(new int[length + 1], [.. Enumerable.Repeat(true, length + 1)]))];
        var rows = MicroBatchPlan.Packed(samples, rowLength, tokenBudget: 1000).SelectMany(batch => batch).Select(row => Show(row.Select(i => lengths[i])));
        Assert.Equal(expected.Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));

        static string Show(IEnumerable<int> row) => string.Join(' ', row.OrderDescending());
    }

    [Fact]
    public void A_plan_keeps_to_the_budget_and_leaves_nothing_out()
    {
        int[] lengths = [5, 90, 17, 17, 40, 3, 0, 64, 8, 33];
        SftSample[] samples = [.. lengths.Select(length => Sample(new int[length], [.. Enumerable.Repeat(true, length)]))];
        foreach (var plan in new[] { MicroBatchPlan.Padded(samples, 80), MicroBatchPlan.Packed(samples, 40, 80) })
        {
            // The empty sequence has nothing to learn, the longest is beyond the budget and alone.
            Assert.Equal(Enumerable.Range(0, lengths.Length).Where(i => lengths[i] > 1), plan.SelectMany(rows => rows).SelectMany(row => row).Order());
            foreach (var rows in plan)
                Assert.True(rows.Count == 1 || rows.Count * rows.Max(row => row.Sum(i => lengths[i] - 1)) <= 80);
        }
        Assert.All(MicroBatchPlan.Packed(samples, 40, 80).SelectMany(rows => rows), row => Assert.True(row.Length == 1 || row.Sum(i => lengths[i] - 1) <= 40));
    }

    private static SftSample Sample(int[] ids, bool[] isLabel) => new() { Ids = ids, IsLabel = isLabel };
}
