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

    [Theory]
    [InlineData(LossNormalization.Grpo, 1.0 / (2 * 2))]
    [InlineData(LossNormalization.Dapo, 1.0 / 6)]
    public void Tokens_that_the_policy_did_not_draw_weigh_nothing_and_are_not_counted(LossNormalization normalization, double weight)
    {
        // Of five tokens the first was forced, the third and fourth a tool's answer.
        var group = Group((5, 1.0), (4, 0.0));
        Rollout[] rollouts = [group.Group.Rollouts[0] with { ForcedLength = 1, IsObserved = (bool[])[false, false, true, true, false] }, group.Group.Rollouts[1]];
        var config = new GrpoLossConfig { Normalization = normalization };
        var sample = new CreditAssignment(config, 10).Assign([group with { Group = group.Group with { Rollouts = rollouts } }]).Steps[0][0];
        float w = (float)weight;
        Assert.Equal([0f, w, 0f, 0f, w], sample.Normalizer.ToArray());
        Assert.All(sample.Credit.ToArray().Zip(sample.Normalizer.ToArray()), pair => Assert.Equal(pair.Second != 0, pair.First > 0));
    }

    public static TheoryData<KlEstimator, double, double> Divergences => new()
    {
        { KlEstimator.K1, -0.5 + 0.25, 0.125 },
        { KlEstimator.K2, (0.25 + 0.0625) / 2, 0.015625 / 2 },
        { KlEstimator.K3, Math.Exp(0.5) - 0.5 - 1 + Math.Exp(-0.25) + 0.25 - 1, Math.Exp(-0.125) + 0.125 - 1 },
    };

    [Theory, MemberData(nameof(Divergences))]
    public void KL_in_the_reward_takes_the_divergence_of_live_tokens_off_the_score(KlEstimator estimator, double first, double second)
    {
        var group = Group((3, 1.0), (1, 0.5));
        TrainingSample Sample(float[] sampler, float[] reference, float[] normalizer) => new()
        {
            Ids = new int[2 + sampler.Length],
            PromptLength = 2,
            Credit = normalizer,
            Normalizer = normalizer,
            SamplerLogProbs = sampler,
            ReferenceLogProbs = reference,
        };
        // log ref - log policy: 0.5, (masked), -0.25; and -0.125.
        TrainingSample[] samples = [Sample([-1.5f, -9, -1.25f], [-1, 0, -1.5f], [1, 0, 1]), Sample([-2], [-2.125f], [1])];
        var (charged, mean) = KlPenalty.Charge([group], samples, new GrpoLossConfig { Beta = 0.1, KlEstimator = estimator, KlPlacement = KlPlacement.Reward });
        Assert.Equal([1.0 - 0.1 * first, 0.5 - 0.1 * second], charged[0].Scores.Select(score => score.Total!.Value), (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal((first + second) / 3, mean, 1e-12);
        Assert.Equal(group.Scores.Select(score => score.ByReward), charged[0].Scores.Select(score => score.ByReward));
    }

    [Fact]
    public void A_score_that_abstains_is_not_charged()
    {
        var group = Group((1, 1.0), (1, 0.5));
        group = group with { Scores = [group.Scores[0], group.Scores[1] with { Total = null }] };
        var sample = TinyPolicy.Samples(1, withReference: true, withSampler: true)[0];
        Assert.Null(KlPenalty.Charge([group], [sample, sample], new GrpoLossConfig { Beta = 1 }).Groups[0].Scores[1].Total);
    }

    [Fact]
    public void An_order_that_is_no_permutation_is_refused() =>
        Assert.Throws<ArgumentException>(() => new CreditAssignment(new GrpoLossConfig(), 10).Assign([Group((2, 1.0), (4, 0.0))], 1, [0, 0]));

    [Fact]
    public void Metrics_of_rewards_equal_the_reference()
    {
        foreach (var row in GoldenFile.Rows("grpo", "advantages.jsonl"))
        {
            // The share of flat groups depends on TRL's kind of scaling; ours is always the share of groups without signal.
            bool hasOurShare = row.Text("scale_rewards") == "group" && row.Text("multi_objective_aggregation") == "sum_then_normalize";
            int size = row.GetProperty("num_generations").GetInt32();
            var scores = row.GetProperty("rewards").EnumerateArray().Select(r => ScoreOf(r, row.Numbers("weights"))).Chunk(size);
            ScoredGroup[] groups = [.. scores.Select(chunk => new ScoredGroup(new RolloutGroup(_prompt, [.. chunk.Select(_ => Rollout(2))]), chunk))];
            var actual = RolloutMetrics.Of(groups, [.. row.Numbers("weights").Select((_, i) => $"reward{i}")]);
            foreach (var metric in row.GetProperty("metrics").EnumerateObject().Where(m => m.Name != "num_tokens" && (hasOurShare || m.Name != "frac_reward_zero_std") && !double.IsNaN(m.Value.Number())))
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
