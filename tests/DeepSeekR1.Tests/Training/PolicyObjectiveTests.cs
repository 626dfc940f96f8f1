using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

/// <summary>Properties that each objective has, whatever its formula.</summary>
public class PolicyObjectiveTests
{
    private static readonly Dictionary<string, GrpoLossConfig> _configs = new()
    {
        ["clip"] = new() { EpsilonLow = 0.2, EpsilonHigh = 0.28 },
        ["clip with delta"] = new() { EpsilonLow = 0.2, Delta = 1.5, Beta = 0 },
        ["gspo"] = new() { EpsilonLow = 0.1, RatioLevel = RatioLevel.Sequence },
        ["luspo"] = new() { EpsilonLow = 0.1, RatioLevel = RatioLevel.Sequence, Normalization = LossNormalization.Luspo },
        ["dapo"] = new() { EpsilonLow = 0.2, EpsilonHigh = 0.28, Normalization = LossNormalization.Dapo, Beta = 0 },
        ["dr. grpo"] = new() { EpsilonLow = 0.2, Normalization = LossNormalization.DrGrpo, Beta = 0 },
        ["sapo"] = new() { Objective = PolicyObjectiveKind.Sapo },
        ["sapo of sequences"] = new() { Objective = PolicyObjectiveKind.Sapo, RatioLevel = RatioLevel.Sequence },
        ["policy gradient"] = new() { Objective = PolicyObjectiveKind.PolicyGradient, BiasCorrectedKl = true, Beta = 0.1 },
        ["k1"] = new() { KlEstimator = KlEstimator.K1, Beta = 0.1 },
        ["k2"] = new() { KlEstimator = KlEstimator.K2, Beta = 0.1 },
        ["entropy bonus"] = new() { EntropyBonus = 0.1 },
        ["sampler correction"] = new() { SamplerCorrection = new() { Mode = SamplerCorrectionMode.TokenTruncate, Max = 1.2 } },
        ["off-policy mask"] = new() { OffPolicyThreshold = 0.02 },
        ["bias-corrected k2"] = new() { KlEstimator = KlEstimator.K2, BiasCorrectedKl = true, Beta = 0.1, RatioLevel = RatioLevel.Sequence },
    };

    /// <summary>Objectives that weigh the log-probability with a detached number.</summary>
    private static readonly Dictionary<string, GrpoLossConfig> _detachedConfigs = new()
    {
        ["cispo"] = new() { Objective = PolicyObjectiveKind.Cispo, EpsilonHigh = 0.28, Beta = 0 },
        ["cispo of sequences"] = new() { Objective = PolicyObjectiveKind.Cispo, EpsilonHigh = 0.1, RatioLevel = RatioLevel.Sequence, Beta = 0 },
        ["vespo"] = new() { Objective = PolicyObjectiveKind.Vespo, Beta = 0 },
    };

    private const int Tokens = 12;

    public static TheoryData<string> Differentiable => [.. _configs.Keys];

    public static TheoryData<string> Detached => [.. _detachedConfigs.Keys];

    public static TheoryData<string> All => [.. _configs.Keys, .. _detachedConfigs.Keys];

    [Theory]
    [MemberData(nameof(Differentiable))]
    public void Gradients_equal_finite_differences(string name)
    {
        using var scope = NewDisposeScope();
        const double Step = 1e-6;
        var config = _configs[name];
        var center = TestNumbers.Normal(1, Tokens) * 0.3 - 2;
        double[] gradient = GradientAt(config, center);
        for (int i = 0; i < Tokens; i++)
        {
            var (up, down) = (center.clone(), center.clone());
            up[i] += Step;
            down[i] -= Step;
            Assert.Equal((LossAt(config, up) - LossAt(config, down)) / (2 * Step), gradient[i], 1e-6);
        }
    }

    [Theory]
    [MemberData(nameof(Detached))]
    public void With_weights_held_gradients_equal_finite_differences(string name)
    {
        using var scope = NewDisposeScope();
        const double Step = 1e-6;
        var config = _detachedConfigs[name];
        var center = TestNumbers.Normal(1, Tokens) * 0.3 - 2;
        var (held, objective) = (TokensAt(config, center), PolicyObjective.Create(config));
        var logRatio = center - held.Old!;
        var ratio = config.RatioLevel == RatioLevel.Token ? logRatio.exp() : held.Sequences.Spread(held.Sequences.Mean(logRatio).exp());
        // The ratio, of which the weight is made, stays at the center; the log-probability it weighs moves.
        double LossAt(Tensor logProbs) => objective.Loss(new RatioTerms(held with { LogProbs = logProbs }, logRatio, ratio, config.RatioLevel, null)).sum().item<double>();
        double[] gradient = GradientAt(config, center);
        for (int i = 0; i < Tokens; i++)
        {
            var (up, down) = (center.clone(), center.clone());
            up[i] += Step;
            down[i] -= Step;
            Assert.Equal((LossAt(up) - LossAt(down)) / (2 * Step), gradient[i], 1e-6);
        }
        Assert.True(gradient.Count(value => Math.Abs(value) > 1e-3) > Tokens / 2);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void One_step_raises_what_was_rewarded_and_lowers_the_other(string name)
    {
        using var scope = NewDisposeScope();
        using var policy = TinyPolicy.Create();
        using var optimizer = AdamW.For(policy, new OptimizerConfig());
        var batching = new BatchConfig();
        var scorer = new SequenceScorer(policy, 1, batching);
        TrainingSample Completion(int[] ids, float credit) => new()
        {
            Ids = (int[])[1, 2, 3, .. ids],
            PromptLength = 3,
            Credit = Enumerable.Repeat(credit, ids.Length).ToArray(),
            Normalizer = Enumerable.Repeat(Math.Abs(credit), ids.Length).ToArray(),
        };
        List<TrainingSample> samples = [Completion([7, 8, 9], 0.5f), Completion([11, 12], -0.5f)];
        samples = [.. samples.Zip(scorer.LogProbs(samples), (sample, scores) => sample with { ReferenceLogProbs = scores })];
        double[] Totals() => [.. scorer.LogProbs(samples).Select(scores => (double)scores.Sum())];
        var before = Totals();
        var report = new GrpoUpdate(policy, optimizer, _configs.GetValueOrDefault(name) ?? _detachedConfigs[name], 1, batching).Step(samples, 1e-3);
        var after = Totals();
        Assert.Equal(UpdateOutcome.Applied, report.Outcome);
        Assert.True(after[0] > before[0], $"rewarded: {before[0]} → {after[0]}");
        Assert.True(after[1] < before[1], $"punished: {before[1]} → {after[1]}");
    }

    private static double LossAt(GrpoLossConfig config, Tensor logProbs) =>
        new GrpoLoss(config).Evaluate(TokensAt(config, logProbs), new StepConstants(1.0 / logProbs.numel()), new LossMetrics()).item<double>();

    private static double[] GradientAt(GrpoLossConfig config, Tensor logProbs)
    {
        var tokens = TokensAt(config, logProbs);
        new GrpoLoss(config).Evaluate(tokens, new StepConstants(1.0 / logProbs.numel()), new LossMetrics()).backward();
        return tokens.LogProbs.grad!.data<double>().ToArray();
    }

    /// <summary>Sequences of five, five and two tokens.</summary>
    private static LossTokens TokensAt(GrpoLossConfig config, Tensor logProbs)
    {
        long tokens = logProbs.numel();
        int[] lengths = [5, 5, 2];
        double[] weights = LossWeights.PerToken(config.Normalization, lengths, maxCompletionTokens: 8);
        var normalizer = tensor(lengths.SelectMany((length, i) => Enumerable.Repeat(weights[i], length)).ToArray());
        return new LossTokens
        {
            LogProbs = logProbs.detach().clone().requires_grad_(),
            Entropies = TestNumbers.Normal(5, tokens).abs(),
            Credit = TestNumbers.Normal(4, tokens) * normalizer,
            Normalizer = normalizer,
            Sequences = new Segments(arange(tokens).div(5, RoundingMode.floor).to(ScalarType.Int64), 3, ScalarType.Float64),
            Old = TestNumbers.Normal(2, tokens) * 0.3 - 2,
            Reference = TestNumbers.Normal(3, tokens) * 0.3 - 2,
            Sampler = TestNumbers.Normal(6, tokens) * 0.3 - 2,
        };
    }
}
