using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

/// <summary>The numbers of docs/algorithms.md: the loss of a golden case by TRL's way, and by the paper's way, our default, with the same settings.</summary>
public class DifferencesFromTrlTests
{
    private const double Tolerance = 2e-6;

    [Fact]
    public void CISPO_caps_at_one_plus_epsilon() =>
        AssertLosses("cispo_wild", byTrl: 0.651995, byPaper: 0.805585, config => config with { EpsilonHigh = config.EpsilonHigh + 1 });

    [Fact]
    public void KL_is_not_multiplied_by_the_ratio() =>
        AssertLosses("dapo_wild", byTrl: 2.565104, byPaper: 2.449764, config => config with { BiasCorrectedKl = false });

    [Fact]
    public void The_sampler_is_not_corrected_for() =>
        AssertLosses("dapo_vllm_sequence_mask", byTrl: 0.071540, byPaper: 0.168313, config => config with { SamplerCorrection = new() });

    [Fact]
    public void BNPO_divides_by_the_tokens_of_the_optimizer_step()
    {
        using var scope = NewDisposeScope();
        var golden = Case("bnpo_accumulate2");
        // TRL divides each part by its own tokens and by the number of parts.
        var parts = golden.MicroBatches.Select(batch =>
        {
            var (tokens, _) = batch.Tokens(golden.Config, ScalarType.Float64);
            double loss = Loss(golden.Config, batch), count = tokens.LogProbs.numel();
            return (Loss: loss, Sum: loss * golden.MicroBatches.Count * count, Tokens: count);
        }).ToList();
        Assert.Equal(0.071394, parts.Sum(part => part.Loss), Tolerance);
        // The step's tokens are those of TRL's dapo_accumulate2, and so is the loss.
        Assert.Equal(0.132339, parts.Sum(part => part.Sum) / parts.Sum(part => part.Tokens), Tolerance);
    }

    private static void AssertLosses(string name, double byTrl, double byPaper, Func<GrpoLossConfig, GrpoLossConfig> asInThePaper)
    {
        using var scope = NewDisposeScope();
        var golden = Case(name);
        double LossOf(GrpoLossConfig config) => golden.MicroBatches.Sum(batch => Loss(config, batch));
        Assert.Equal(byTrl, LossOf(golden.Config), Tolerance);
        Assert.Equal(byPaper, LossOf(asInThePaper(golden.Config)), Tolerance);
    }

    private static GoldenLossCase Case(string name) =>
        GoldenLossCase.Read(GoldenFile.Rows("grpo", "losses", "cases.jsonl").Single(row => row.Text("name") == name), GoldenFile.Tensors("grpo", "losses", "inputs.safetensors"));

    private static double Loss(GrpoLossConfig config, GoldenMicroBatch batch) =>
        new GrpoLoss(config).Evaluate(batch.Tokens(config, ScalarType.Float64).Tokens, batch.Constants(config), new LossMetrics()).item<double>();
}
