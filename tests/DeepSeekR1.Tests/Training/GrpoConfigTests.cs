using DeepSeekR1.Configuration;
using DeepSeekR1.Training;

namespace DeepSeekR1.Tests.Training;

/// <summary>GRPO's settings as a user writes them.</summary>
public class GrpoConfigTests
{
    private static GrpoConfig Parse(string json, params string[] overrides) => ConfigReader.Parse<GrpoConfig>(json, "r.json", overrides);

    [Fact]
    public void Defaults_are_those_of_the_paper()
    {
        var config = Parse("{}");
        Assert.Equal((10.0, 10.0, 0.001), (config.Loss.EpsilonLow, config.Loss.ResolvedEpsilonHigh, config.Loss.Beta));
        Assert.Equal((LossNormalization.Grpo, PolicyObjectiveKind.Clip, KlEstimator.K3, KlPlacement.Loss), (config.Loss.Normalization, config.Loss.Objective, config.Loss.KlEstimator, config.Loss.KlPlacement));
        Assert.False(config.Loss.BiasCorrectedKl || config.Bitwise);
        Assert.True(config.Loss.SkipZeroAdvantages);
    }

    [Fact]
    public void Choices_are_read_by_name()
    {
        var config = Parse("""
            {
              "bitwise": true, "referenceMixup": 0.6, "optimizer": { "stateBits": 8 },
              "loss": {
                "objective": "policy-gradient", "normalization": "dr-grpo", "baseline": "leave-one-out", "advantageScale": "batch",
                "klPlacement": "reward", "klEstimator": "k1", "adaptiveEntropy": { "target": 0.5 }
              }
            }
            """, "loss.adaptiveEntropy.max=0.1");
        Assert.True(config.Bitwise);
        Assert.Equal((0.6, 8), (config.ReferenceMixup, config.Optimizer.StateBits));
        Assert.Equal((PolicyObjectiveKind.PolicyGradient, LossNormalization.DrGrpo, AdvantageBaseline.LeaveOneOut, AdvantageScale.Batch),
            (config.Loss.Objective, config.Loss.Normalization, config.Loss.Baseline, config.Loss.AdvantageScale));
        Assert.Equal((KlPlacement.Reward, KlEstimator.K1), (config.Loss.KlPlacement, config.Loss.KlEstimator));
        Assert.Equal(new AdaptiveEntropyConfig { Target = 0.5, Max = 0.1 }, config.Loss.AdaptiveEntropy);
        Assert.Equal((0, true), (config.Loss.LossBeta, config.Loss.NeedsReference));
    }

    [Theory]
    [InlineData("""{ "optimizer": { "stateBits": 16 } }""", "optimizer.stateBits: must be 8 or 32, but is 16")]
    [InlineData("""{ "optimizer": { "stateBits": 8, "kind": "muon" } }""", "must be 32 unless the optimizer is AdamW")]
    [InlineData("""{ "loss": { "klPlacement": "reward", "rewardAggregation": "normalize-then-sum" } }""", "sum-then-normalize")]
    [InlineData("""{ "loss": { "adaptiveEntropy": { "min": 0.5, "max": 0.1 } } }""", "adaptiveEntropy.min (0.5)")]
    [InlineData("""{ "referenceMixup": 1.5 }""", "referenceMixup: must be")]
    [InlineData("""{ "loss": { "objective": "cipso" } }""", "did you mean 'cispo'?")]
    [InlineData("""{ "sampling": { "temperature": 0 } }""", "must not be greedy")]
    public void Impossible_settings_are_named_with_what_is_possible(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<R1Exception>(() => Parse(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_choice_is_in_the_schema()
    {
        string schema = ConfigSchema.Generate<GrpoConfig>();
        foreach (string name in EnumNames.All<PolicyObjectiveKind>().Concat(EnumNames.All<LossNormalization>()).Concat(EnumNames.All<KlPlacement>()).Concat(EnumNames.All<KlEstimator>()))
            Assert.Contains($"\"{name}\"", schema, StringComparison.Ordinal);
    }
}
