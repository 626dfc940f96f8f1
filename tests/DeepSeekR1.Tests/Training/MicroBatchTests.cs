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
        using var batch = MicroBatch.Rows(samples, [[0], [1]], CPU);
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
        using var batch = MicroBatch.Rows(samples, [[1, 0]], CPU);
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
    public void A_shared_prompt_lies_once_before_its_completions()
    {
        using var scope = NewDisposeScope();
        TrainingSample[] samples = [Completion([1, 2], [3, 4, 5]), Completion([1, 2], [6]), Completion([1, 2], [7, 8]), Completion([9], [10, 11])];
        using var batch = MicroBatch.Shared(samples, [[0, 1, 2], [3]], CPU);
        Assert.Equal(16, batch.Ids.numel());
        // The last token of each is predicted, not run; all of the second one's prediction comes from the prompt.
        Assert.Equal([1, 2, 3, 4, 7, 9, 10], batch.Ids.Longs()[..7]);
        Assert.Equal([0, 1, 2, 3, 2, 0, 1], batch.Positions!.Longs()[..7]);
        Assert.Equal([1, 2, 3, 1, 1, 4, 5, 6], batch.HiddenRows.Longs());
        Assert.Equal([3, 4, 5, 6, 7, 8, 10, 11], batch.Targets.Longs());
        bool[] allowed = batch.Spans!.Allowed(window: null);
        Assert.Equal([0, 1, 4], Enumerable.Range(0, 16).Where(key => allowed[4 * 16 + key]));
    }

    [Fact]
    public void Families_are_cut_at_the_budget_and_meet_where_they_fit()
    {
        TrainingSample[] samples = [.. Enumerable.Range(0, 9).Select(i => Completion([1, 2, i % 2], new int[i + 2]))];
        foreach (int budget in new[] { 4, 20, 40, 1000 })
        {
            var plan = MicroBatchPlan.Shared(samples, budget);
            Assert.Equal(Enumerable.Range(0, 9), plan.SelectMany(families => families).SelectMany(family => family).Order());
            Assert.All(plan, families => Assert.True(families is [[_]] || families.Sum(family => 3 + family.Sum(i => i + 1)) <= budget));
            Assert.All(plan.SelectMany(families => families), family => Assert.Single(family.Select(i => i % 2).Distinct()));
        }
    }

    private static TrainingSample Completion(int[] prompt, int[] completion) => new()
    {
        Ids = (int[])[.. prompt, .. completion],
        PromptLength = prompt.Length,
        Credit = new float[completion.Length],
        Normalizer = Enumerable.Repeat(1f, completion.Length).ToArray(),
    };

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
