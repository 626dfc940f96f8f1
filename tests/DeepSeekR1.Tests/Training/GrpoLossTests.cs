using System.Text.Json;
using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

public class GrpoLossTests
{
    private const double Tolerance = 2e-6;

    [Fact]
    public void Losses_gradients_and_metrics_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        var inputs = GoldenFile.Tensors("grpo", "losses", "inputs.safetensors");
        var outputs = GoldenFile.Tensors("grpo", "losses", "outputs.safetensors");
        var failures = new List<string>();
        var lossTypes = new HashSet<string>();
        foreach (var row in GoldenFile.Rows("grpo", "losses", "cases.jsonl"))
        {
            var golden = GoldenLossCase.Read(row, inputs);
            foreach (var (batch, expected) in golden.MicroBatches.Zip(row.GetProperty("micro_batches").EnumerateArray()))
                failures.AddRange(Compare(golden, batch, expected, outputs).Select(failure => $"{row.Text("name")} {failure}"));
            // A step of several micro-batches is the sum of its parts.
            double whole = golden.MicroBatches.Sum(batch => new GrpoLoss(golden.Config).Evaluate(batch.Tokens(golden.Config, ScalarType.Float32).Tokens, batch.Constants(golden.Config), new LossMetrics()).item<float>());
            double expectedWhole = row.Number("loss_sum_over_micro_batches");
            if (Math.Abs(whole - expectedWhole) > Tolerance * Math.Max(1, Math.Abs(expectedWhole))) failures.Add($"{row.Text("name")} whole loss {whole}, expected {expectedWhole}");
            lossTypes.Add(row.GetProperty("config").Text("loss_type"));
        }
        Assert.Equal(["bnpo", "cispo", "dapo", "dr_grpo", "grpo", "luspo", "sapo", "vespo"], lossTypes.Order());
        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    [Fact]
    public void Losses_in_double_equal_the_reference_in_double()
    {
        using var scope = NewDisposeScope();
        var inputs = GoldenFile.Tensors("grpo", "losses", "inputs.safetensors");
        foreach (var row in GoldenFile.Rows("grpo", "losses", "cases.jsonl"))
        {
            var golden = GoldenLossCase.Read(row, inputs);
            foreach (var (batch, expected) in golden.MicroBatches.Zip(row.GetProperty("micro_batches").EnumerateArray()))
            {
                if (!double.IsFinite(expected.Number("loss_f64"))) continue;
                var (tokens, _) = batch.Tokens(golden.Config, ScalarType.Float64);
                double loss = new GrpoLoss(golden.Config).Evaluate(tokens, batch.Constants(golden.Config), new LossMetrics()).item<double>();
                Assert.True(Math.Abs(loss - expected.Number("loss_f64")) <= 1e-7 * Math.Max(1, Math.Abs(loss)), $"{row.Text("name")}: {loss}, expected {expected.Number("loss_f64")}");
            }
        }
    }

    private static IEnumerable<string> Compare(GoldenLossCase golden, GoldenMicroBatch batch, JsonElement expected, Dictionary<string, Tensor> outputs)
    {
        var metrics = new LossMetrics();
        var (tokens, scatter) = batch.Tokens(golden.Config, ScalarType.Float32);
        var loss = new GrpoLoss(golden.Config).Evaluate(tokens, batch.Constants(golden.Config), metrics);
        loss.backward();
        metrics.Collect();

        double expectedLoss = expected.Number("loss"), difference = Math.Abs(loss.item<float>() - expectedLoss);
        if (difference > Tolerance * Math.Max(1, Math.Abs(expectedLoss))) yield return $"loss {loss.item<float>()}, expected {expectedLoss}";

        string gradient = expected.Text("gradient");
        double worst = scatter(tokens.LogProbs.grad).LargestDifference(outputs[gradient]);
        if (!(worst <= Tolerance)) yield return $"gradient differs by {worst}";
        if (outputs.TryGetValue(gradient.Replace("dlogps", "dentropies"), out var dEntropies) && golden.Config.EntropyBonus != 0)
            if (scatter(tokens.Entropies.grad).LargestDifference(dEntropies) is var entropyWorst && !(entropyWorst <= Tolerance)) yield return $"entropy gradient differs by {entropyWorst}";

        var actual = metrics.Results();
        // TRL logs the policy loss before dividing it by the number of micro-batches; ours is a share of the step's loss.
        if (actual.TryGetValue("policy_loss", out double policyLoss)) actual["policy_loss"] = policyLoss * batch.Accumulation;
        foreach (var metric in expected.GetProperty("metrics").EnumerateObject().Where(m => m.Name != "entropy_coef"))
            if (!actual.TryGetValue(metric.Name, out double value)) yield return $"metric {metric.Name} is missing";
            else if (Math.Abs(value - metric.Value.Number()) > Tolerance * Math.Max(1, Math.Abs(value))) yield return $"{metric.Name} {value}, expected {metric.Value}";
    }
}
