using DeepSeekR1.Training;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

public class SamplerCorrectionTests
{
    [Fact]
    public void Ratios_and_their_metrics_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        var inputs = GoldenFile.Tensors("grpo", "losses", "inputs.safetensors");
        var outputs = GoldenFile.Tensors("grpo", "losses", "outputs.safetensors");
        foreach (var row in GoldenFile.Rows("grpo", "losses", "vllm_ratio.jsonl"))
        {
            string set = row.Text("inputs"), mode = row.Text("mode");
            var mask = inputs[$"{set}.completion_mask"];
            var live = mask.view(-1).nonzero().squeeze(1);
            var sequences = new Segments(live.div(mask.shape[1], RoundingMode.floor).to(ScalarType.Int64), (int)mask.shape[0], ScalarType.Float32);
            var (old, sampler) = (inputs[$"{set}.logps_old"].view(-1).index_select(0, live), inputs[$"{set}.sampling_logps"].view(-1).index_select(0, live));
            var config = new SamplerCorrectionConfig
            {
                Mode = Enum.Parse<SamplerCorrectionMode>(mode.Replace("_", ""), ignoreCase: true),
                Min = row.NumberOrNull("clip_min"),
                Max = row.NumberOrNull("clip_max"),
            };
            var weights = SamplerWeights.Of(config, old, sampler, sequences)!;
            var expected = outputs[row.Text("ratio")].expand(mask.shape).reshape(-1).index_select(0, live);
            Assert.InRange(weights.PerToken.LargestDifference(expected), 0, 2e-6);

            var metrics = new LossMetrics();
            SamplerWeights.ObserveDifference(old, sampler, metrics);
            weights.Observe(metrics);
            metrics.Collect();
            var actual = metrics.Results();
            foreach (var metric in row.GetProperty("metrics").EnumerateObject())
                Assert.Equal(metric.Value.Number(), actual[metric.Name.Replace("sampling/sampling_logp", "sampling/logp")], 2e-6);
        }
    }
}
