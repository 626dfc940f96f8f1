using System.Text.Json;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Training;

namespace DeepSeekR1.Tests.Training;

public class CreditAssignmentTests
{
    [Theory]
    [InlineData(LossNormalization.Grpo, 1.0 / (4 * 2), 1.0 / (4 * 6))]
    [InlineData(LossNormalization.Bnpo, 1.0 / 16, 1.0 / 16)]
    [InlineData(LossNormalization.Dapo, 1.0 / 16, 1.0 / 16)]
    [InlineData(LossNormalization.DrGrpo, 1.0 / (4 * 10), 1.0 / (4 * 10))]
    [InlineData(LossNormalization.Luspo, 1.0 / 4, 1.0 / 4)]
    public void Weights_are_those_of_the_paper(LossNormalization normalization, double firstWeight, double lastWeight)
    {
        ScoredGroup[] groups = [Group((2, 1.0), (4, 0.0)), Group((4, 3.0), (6, 5.0))];
        var config = new GrpoLossConfig { Normalization = normalization, AdvantageScale = AdvantageScale.None };
        var batch = new CreditAssignment(config, maxCompletionTokens: 10).Assign(groups);
        var samples = Assert.Single(batch.Steps);
        Assert.Equal([0.5, -0.5, -1, 1], batch.Advantages);
        Assert.Equal((float)firstWeight, samples[0].Normalizer.Span[0], 1e-7f);
        Assert.Equal((float)lastWeight, samples[3].Normalizer.Span[5], 1e-7f);
        Assert.Equal((float)(0.5 * firstWeight), samples[0].Credit.Span[1], 1e-7f);
        Assert.Equal((float)lastWeight, samples[3].Credit.Span[5], 1e-7f);
        Assert.Equal([7, 8, 9, 9], samples[0].Ids.ToArray());
    }

    [Fact]
    public void Dapo_weighs_each_token_of_the_sampled_batch_alike_however_it_is_cut()
    {
        ScoredGroup[] groups = [Group((2, 1.0), (4, 0.0)), Group((4, 3.0), (6, 5.0))];
        var batch = new CreditAssignment(new GrpoLossConfig { Normalization = LossNormalization.Dapo }, 10).Assign(groups, optimizerSteps: 2, order: [3, 0, 1, 2]);
        Assert.Equal([6, 2], batch.Steps[0].Select(sample => sample.CompletionLength));
        Assert.Equal([4, 4], batch.Steps[1].Select(sample => sample.CompletionLength));
        Assert.All(batch.Steps.SelectMany(step => step), sample => Assert.Equal(2f / 16, sample.Normalizer.Span[0]));
    }

    [Fact]
    public void Masked_truncated_completions_weigh_nothing_and_count_as_sequences()
    {
        ScoredGroup[] groups = [Truncate(Group((2, 1.0), (4, 0.0)), 1)];
        var samples = new CreditAssignment(new GrpoLossConfig { MaskTruncated = true }, 10).Assign(groups).Steps[0];
        Assert.Equal(1f / (2 * 2), samples[0].Normalizer.Span[0]);
        Assert.All(samples[1].Normalizer.ToArray(), weight => Assert.Equal(0f, weight));
        Assert.False(samples[1].HasCredit);
    }

    [Fact]
    public void An_order_that_is_no_permutation_is_refused() =>
        Assert.Throws<ArgumentException>(() => new CreditAssignment(new GrpoLossConfig(), 10).Assign([Group((2, 1.0), (4, 0.0))], 1, [0, 0]));

    [Fact]
    public void Metrics_of_rewards_equal_the_reference()
    {
        // The share of flat groups depends on TRL's kind of scaling; ours is always the share of groups without signal.
        foreach (var row in GoldenFile.Rows("grpo", "advantages.jsonl").Where(r => r.Text("scale_rewards") == "group" && r.Text("multi_objective_aggregation") == "sum_then_normalize"))
        {
            int size = row.GetProperty("num_generations").GetInt32();
            var scores = row.GetProperty("rewards").EnumerateArray().Select(r => ScoreOf(r, row.Numbers("weights"))).Chunk(size);
            ScoredGroup[] groups = [.. scores.Select(chunk => new ScoredGroup(new RolloutGroup(_prompt, [.. chunk.Select(_ => Rollout(2))]), chunk))];
            var actual = RolloutMetrics.Of(groups, [.. row.Numbers("weights").Select((_, i) => $"reward{i}")]);
            foreach (var metric in row.GetProperty("metrics").EnumerateObject().Where(m => m.Name != "num_tokens" && !double.IsNaN(m.Value.Number())))
                Assert.True(Math.Abs(actual[metric.Name] - metric.Value.Number()) <= 2e-6 * Math.Max(1, Math.Abs(metric.Value.Number())),
                    $"{row.Text("name")}: {metric.Name} {actual[metric.Name]}, expected {metric.Value}");
        }
    }

    [Fact]
    public void A_group_has_signal_where_two_scores_differ()
    {
        Assert.True(RolloutMetrics.HasSignal(Group((1, 1.0), (1, 0.0))));
        Assert.False(RolloutMetrics.HasSignal(Group((1, 1.0), (1, 1.0))));
        Assert.False(RolloutMetrics.HasSignal(Group((1, 1.0))));
    }

    private static readonly EncodedPrompt _prompt = new(new Prompt { Id = "p", Text = "" }, (int[])[7, 8], 0);

    private static CompletionScore ScoreOf(JsonElement rewards, double[] weights)
    {
        double?[] values = [.. rewards.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Null ? (double?)null : v.Number())];
        double? total = values.All(v => v is null) ? null : values.Select((v, i) => (v ?? 0) * weights[i]).Sum();
        return new CompletionScore(total, [.. values.Select(v => new RewardScore(v))]);
    }

    private static Rollout Rollout(int length, bool isTruncated = false) => new()
    {
        PromptIds = _prompt.Ids,
        Ids = Enumerable.Repeat(9, length).ToArray(),
        LogProbs = new float[length],
        Completion = new Completion { Text = "", TokenCount = length, IsTruncated = isTruncated },
    };

    private static ScoredGroup Group(params (int Length, double Score)[] members) => new(
        new RolloutGroup(_prompt, [.. members.Select(member => Rollout(member.Length))]),
        [.. members.Select(member => new CompletionScore(member.Score, [member.Score]))]);

    private static ScoredGroup Truncate(ScoredGroup group, int member) => group with
    {
        Group = group.Group with { Rollouts = [.. group.Group.Rollouts.Select((rollout, i) => i == member ? Rollout(rollout.Ids.Length, isTruncated: true) : rollout)] },
    };
}
