using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

/// <summary>The gradient is the same however a step is cut and padded.</summary>
public class GradientInvarianceTests(ITestOutputHelper output)
{
    private static readonly BatchConfig[] _cuts =
    [
        new() { TokensPerMicroBatch = 1_000_000 },
        new() { TokensPerMicroBatch = 1 },
        new() { TokensPerMicroBatch = 40 },
        new() { TokensPerMicroBatch = 60, PackedRowLength = 30 },
        new() { TokensPerMicroBatch = 1_000_000, Layout = BatchLayout.Shared },
        new() { TokensPerMicroBatch = 50, Layout = BatchLayout.Shared },
    ];

    public static TheoryData<string> Losses => [.. _configs.Keys];

    // By kernels of our own, which compute in single precision.
    [Fact]
    public void A_prompt_that_samples_share_has_the_gradient_of_all_its_copies()
    {
        using var scope = NewDisposeScope();
        var samples = TinyPolicy.Samples(15);
        for (int i = 0; i < samples.Count; i++)
        {
            var prompt = samples[i / 4 * 4].Ids[..samples[i / 4 * 4].PromptLength];
            samples[i] = samples[i] with { Ids = (int[])[.. prompt.Span, .. samples[i].Ids.Span[samples[i].PromptLength..]], PromptLength = prompt.Length };
        }
        using var policy = TinyPolicy.Create();
        using var optimizer = AdamW.For(policy, new OptimizerConfig());
        BatchConfig[] cuts = [new() { Layout = BatchLayout.Rows }, new() { Layout = BatchLayout.Shared }, new() { TokensPerMicroBatch = 25 }];
        var gradients = cuts.Select(cut =>
        {
            new GrpoUpdate(policy, optimizer, new GrpoLossConfig { Beta = 0 }, temperature: 0.9, cut).Gradient(samples);
            return cat([.. policy.Parameters.Values.Select(p => p.grad!.view(-1))]).clone();
        }).ToList();
        double norm = gradients[0].norm().item<float>();
        Assert.All(gradients.Skip(1), gradient => Assert.InRange((gradient - gradients[0]).norm().item<float>() / norm, 0, 2e-6));
        int tokens = cuts[1].Cut(samples, policy).Sum(batch => { using (batch) return (int)batch.Ids.numel(); });
        Assert.True(tokens < samples.Sum(sample => sample.Ids.Length) - 20, $"{tokens} tokens are run");
    }

    private static readonly Dictionary<string, GrpoLossConfig> _configs = new()
    {
        ["defaults"] = new(),
        ["clip, corrected k3, bonus"] = new() { EpsilonLow = 0.2, EpsilonHigh = 0.28, Beta = 0.04, BiasCorrectedKl = true, EntropyBonus = 0.01 },
        ["gspo"] = new() { EpsilonLow = 0.01, RatioLevel = RatioLevel.Sequence, Beta = 0 },
        ["k1, delta"] = new() { EpsilonLow = 0.2, Delta = 1.5, Beta = 0.04, KlEstimator = KlEstimator.K1 },
        ["cispo, top entropy"] = new() { Objective = PolicyObjectiveKind.Cispo, EpsilonHigh = 0.28, TopEntropyShare = 0.3, EntropyBonus = 0.01 },
        ["sapo, sequence mask"] = new() { Objective = PolicyObjectiveKind.Sapo, SamplerCorrection = new() { Mode = SamplerCorrectionMode.SequenceMask, Max = 2 } },
        ["vespo, token truncate"] = new() { Objective = PolicyObjectiveKind.Vespo, SamplerCorrection = new() { Mode = SamplerCorrectionMode.TokenTruncate } },
        ["policy gradient, off-policy mask, k2"] = new() { Objective = PolicyObjectiveKind.PolicyGradient, OffPolicyThreshold = 0.1, KlEstimator = KlEstimator.K2 },
    };

    [Theory]
    [MemberData(nameof(Losses))]
    public void A_step_has_one_gradient_and_one_set_of_metrics(string loss) => AssertInvariant(loss, ScalarType.Float64, 1e-12, 1e-9);

    [Theory]
    [MemberData(nameof(Losses))]
    public void In_single_precision_cuts_differ_by_rounding_alone(string loss) => AssertInvariant(loss, ScalarType.Float32, 2e-6, 1e-5);

    /// <summary>Largest relative difference of gradients and largest difference of metrics over all cuts.</summary>
    private void AssertInvariant(string loss, ScalarType dtype, double gradientBound, double metricBound)
    {
        using var scope = NewDisposeScope();
        var config = _configs[loss];
        var samples = TinyPolicy.Samples(14, withOld: true, withReference: true, withSampler: config.SamplerCorrection.Mode != SamplerCorrectionMode.None);
        using var policy = TinyPolicy.Create(dtype);
        using var optimizer = AdamW.For(policy, new OptimizerConfig());
        var results = _cuts.Select(cut =>
        {
            var metrics = new GrpoUpdate(policy, optimizer, config, temperature: 0.9, cut).Gradient(samples).Results();
            return (Gradient: cat([.. policy.Parameters.Values.Select(p => p.grad!.view(-1))]).to(ScalarType.Float64), Metrics: metrics);
        }).ToList();
        double norm = results[0].Gradient.norm().item<double>();
        Assert.True(norm > 1e-3);
        foreach (var (gradient, metrics) in results.Skip(1))
        {
            double difference = (gradient - results[0].Gradient).norm().item<double>() / norm;
            output.WriteLine($"{loss}: {difference:E1}");
            Assert.InRange(difference, 0, gradientBound);
            foreach (var (name, value) in metrics) Assert.Equal(results[0].Metrics[name], value, metricBound);
        }
    }

    [Theory]
    [InlineData(SftLossKind.NegativeLogLikelihood)]
    [InlineData(SftLossKind.Dft)]
    public void A_supervised_step_has_one_gradient(SftLossKind kind)
    {
        using var scope = NewDisposeScope();
        var samples = TinyPolicy.Samples(14).Select((sample, i) => new SftSample
        {
            Ids = sample.Ids,
            IsLabel = Enumerable.Range(0, sample.Ids.Length).Select(t => (t + i) % 3 != 0).ToArray(),
        }).ToList();
        using var policy = TinyPolicy.Create(ScalarType.Float64);
        using var optimizer = AdamW.For(policy, new OptimizerConfig());
        var gradients = _cuts.Select(cut =>
        {
            new SftUpdate(policy, optimizer, new SftLossConfig { Kind = kind }, cut).Gradient(samples);
            return cat([.. policy.Parameters.Values.Select(p => p.grad!.view(-1))]).clone();
        }).ToList();
        double norm = gradients[0].norm().item<double>();
        Assert.All(gradients.Skip(1), gradient => Assert.InRange((gradient - gradients[0]).norm().item<double>() / norm, 0, 1e-12));
    }
}
