using System.Runtime.InteropServices;
using System.Text.Json;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Testing;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Rollouts;

public sealed class SamplerTests
{
    private const double ProbabilityTolerance = 1e-6;

    // Below it float32 arithmetic may round a probability to zero where float64 does not.
    private const double SmallestFloatProbability = 1e-30;

    [Fact]
    public void Probabilities_equal_the_reference_processors()
    {
        foreach (var golden in GoldenCases())
        {
            var actual = new double[golden.Logits.Length];
            new Sampler(golden.Config, actual.Length).Probabilities(golden.Logits, golden.Context, actual);
            // Among ties at the cut the reference's unstable sort decides: the same probabilities are kept, perhaps of other ids.
            var order = golden.TiesAtTheCut ? [.. actual.Order()] : actual;
            var expected = golden.TiesAtTheCut ? [.. golden.Probabilities.Order()] : golden.Probabilities;
            for (int id = 0; id < expected.Length; id++)
                Assert.True(Math.Abs(order[id] - expected[id]) <= ProbabilityTolerance, $"{golden.Name}[{id}]: {order[id]} is not {expected[id]}");
        }
    }

    [Fact]
    public void The_kept_tokens_are_those_the_reference_keeps()
    {
        foreach (var golden in GoldenCases())
        {
            var actual = new double[golden.Logits.Length];
            new Sampler(golden.Config, actual.Length).Probabilities(golden.Logits, golden.Context, actual);
            if (golden.TiesAtTheCut)
            {
                Assert.Equal(golden.Kept, actual.Count(probability => probability > 0));
                continue;
            }
            for (int id = 0; id < actual.Length; id++)
            {
                bool isDropped = float.IsNegativeInfinity(golden.Processed[id]), isSure = golden.Probabilities[id] > SmallestFloatProbability;
                if (isDropped || isSure) Assert.True(actual[id] > 0 == isSure, $"{golden.Name}[{id}]");
            }
        }
    }

    [Fact]
    public void Picks_equal_the_reference()
    {
        int compared = 0;
        foreach (var golden in GoldenCases().Where(golden => !golden.TiesAtTheCut))
        {
            var sampler = new Sampler(golden.Config, golden.Logits.Length);
            for (int i = 0; i < golden.Uniforms.Length; i++)
            {
                if (golden.DistanceToBoundary[i] <= ProbabilityTolerance) continue;
                int pick = sampler.Sample(golden.Logits, golden.Context, golden.Uniforms[i]).Id;
                Assert.True(pick == golden.Picks[i], $"{golden.Name}, u = {golden.Uniforms[i]}: {pick} is not {golden.Picks[i]}");
                compared++;
            }
        }
        Assert.True(compared > 100);
    }

    [Fact]
    public void Probabilities_and_picks_by_tensors_equal_the_reference()
    {
        int compared = 0;
        foreach (var golden in GoldenCases().Where(golden => !golden.TiesAtTheCut))
        {
            using var scope = NewDisposeScope();
            int count = golden.Uniforms.Length;
            var sampler = new TorchSampler(golden.Config);
            ReadOnlyMemory<int>[] contexts = [.. Enumerable.Repeat((ReadOnlyMemory<int>)golden.Context, count)];
            var logits = tensor(golden.Logits).unsqueeze(0).expand(count, -1);
            var weights = sampler.Weights(sampler.Penalize(logits, contexts))[0];
            double[] actual = [.. (weights / weights.sum()).data<double>()];
            for (int id = 0; id < actual.Length; id++)
                Assert.True(Math.Abs(actual[id] - golden.Probabilities[id]) <= ProbabilityTolerance, $"{golden.Name}[{id}]: {actual[id]} is not {golden.Probabilities[id]}");
            var drawn = new SampledToken[count];
            sampler.Sample(logits, contexts, golden.Uniforms, drawn);
            for (int i = 0; i < count; i++)
            {
                if (golden.DistanceToBoundary[i] <= ProbabilityTolerance) continue;
                Assert.True(drawn[i].Id == golden.Picks[i], $"{golden.Name}, u = {golden.Uniforms[i]}: {drawn[i].Id} is not {golden.Picks[i]}");
                var alone = new Sampler(golden.Config, golden.Logits.Length).Sample(golden.Logits, golden.Context, golden.Uniforms[i]);
                Assert.Equal(alone.LogProb, drawn[i].LogProb, 2e-6 * Math.Max(1, Math.Abs(alone.LogProb)));
                compared++;
            }
        }
        Assert.True(compared > 100);
    }

    [Fact]
    public void By_tensors_each_row_has_its_own_context_and_logits_that_cannot_be_sampled_are_named()
    {
        using var scope = NewDisposeScope();
        var drawn = new SampledToken[3];
        var greedy = new TorchSampler(new SamplingConfig { Temperature = 0, RepetitionPenalty = 2 });
        greedy.Sample(tensor(new float[] { 3, 2, 1, 3, 2, 1, 3, 2, 1 }, [3, 3]), [new[] { 2 }, new[] { 0, 0, 1 }, new[] { 0 }], [0, 0, 0], drawn);
        Assert.Equal([new SampledToken(0, 0), new SampledToken(0, 0), new SampledToken(1, 0)], drawn);
        foreach (var (logit, name) in new[] { (float.NaN, "NaN"), (float.PositiveInfinity, "+∞") })
        {
            var failure = Assert.Throws<R1Exception>(() => new TorchSampler(new SamplingConfig()).Sample(tensor(new float[] { 1, logit, 0 }, [1, 3]), [], [0.5], new SampledToken[1]));
            Assert.Contains(name, failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_reference_cases_that_must_raise_raise()
    {
        int raised = 0;
        foreach (var line in Lines().Where(line => line.TryGetProperty("expect", out _)))
        {
            string name = line.GetProperty("name").GetString()!;
            float[] logits = name == "edge_nan" ? [1, float.NaN, 0] : [.. Enumerable.Repeat(float.NegativeInfinity, 3)];
            foreach (double temperature in new[] { 0, 1 })
            {
                var failure = Assert.Throws<R1Exception>(() => new Sampler(new SamplingConfig { Temperature = temperature }, 3).Sample(logits, [], 0.5));
                Assert.Contains(name == "edge_nan" ? "NaN" : "-∞", failure.Message);
            }
            raised++;
        }
        Assert.Equal(2, raised);
    }

    [Theory, InlineData(1.0, 1.0), InlineData(0.6, 1.0), InlineData(0.7, 1.3)]
    public void Log_probability_is_the_policys_own_before_penalty_and_truncation(double temperature, double penalty)
    {
        float[] logits = [1, -2, 3.5f, 0.25f];
        var sampler = new Sampler(new SamplingConfig { Temperature = temperature, TopK = 2, TopP = 0.9, MinP = 0.01, RepetitionPenalty = penalty }, 4);
        double normalizer = Math.Log(logits.Sum(logit => Math.Exp(logit / temperature)));
        foreach (double uniform in new[] { 0, 0.5, 0.99 })
        {
            var token = sampler.Sample(logits, [2, 2, 0], uniform);
            Assert.Equal((logits[token.Id] / temperature) - normalizer, token.LogProb, 1e-6);
        }
    }

    [Fact]
    public void Temperature_zero_takes_the_lowest_id_among_the_largest()
    {
        var logits = new float[1000];
        logits[700] = logits[300] = logits[301] = 5;
        Assert.Equal(new SampledToken(300, 0), new Sampler(new SamplingConfig { Temperature = 0 }, 1000).Sample(logits, [], 0.999));
        // The penalty counts for greedy decoding too: it pushes 300 below its equals.
        Assert.Equal(301, new Sampler(new SamplingConfig { Temperature = 0, RepetitionPenalty = 1.1 }, 1000).Sample(logits, [300], 0).Id);
    }

    [Theory, InlineData(300), InlineData(49_152)]
    public void Truncation_equals_sorting(int vocabulary)
    {
        var random = new AddressedRandom(7, RandomPurpose.Verification);
        var logits = new float[vocabulary];
        var actual = new double[vocabulary];
        for (int draw = 0; draw < 4; draw++)
        {
            random.Stream(draw).Normal(logits, draw + 0.5);
            if (draw == 3) for (int i = 0; i < vocabulary; i++) logits[i] = MathF.Round(logits[i]);
            foreach (var config in Truncations())
            {
                new Sampler(config, vocabulary).Probabilities(logits, [], actual);
                var expected = BySorting(logits, config);
                for (int id = 0; id < vocabulary; id++) Assert.True(Math.Abs(actual[id] - expected[id]) <= ProbabilityTolerance, $"{config}, id {id}");
            }
        }
    }

    [Fact]
    public void Frequencies_follow_the_probabilities()
    {
        const int Draws = 20_000;
        float[] logits = [0, 1, 2, -1, 0.5f];
        var sampler = new Sampler(new SamplingConfig { Temperature = 0.8 }, logits.Length);
        var probabilities = new double[logits.Length];
        sampler.Probabilities(logits, [], probabilities);
        var counts = new int[logits.Length];
        var stream = new AddressedRandom(1, RandomPurpose.Verification).Stream();
        for (int draw = 0; draw < Draws; draw++) counts[sampler.Sample(logits, [], stream.Uniform()).Id]++;
        for (int id = 0; id < logits.Length; id++)
        {
            double standardError = Math.Sqrt(probabilities[id] * (1 - probabilities[id]) / Draws);
            Assert.InRange((double)counts[id] / Draws, probabilities[id] - (4 * standardError), probabilities[id] + (4 * standardError));
        }
    }

    private static IEnumerable<SamplingConfig> Truncations() =>
    [
        new() { TopK = 1 }, new() { TopK = 20 }, new() { TopK = 299 }, new() { TopP = 0.1 }, new() { TopP = 0.95 }, new() { TopP = 0.9999 },
        new() { Temperature = 0.6, TopP = 0.95 }, new() { TopK = 40, TopP = 0.8 }, new() { Temperature = 1.5, TopK = 100, TopP = 0.9, MinP = 0.02 },
    ];

    /// <summary>The plain definition: sort everything; ties at the nucleus' edge go to the lowest ids.</summary>
    private static double[] BySorting(float[] logits, SamplingConfig config)
    {
        double max = logits.Max();
        var weights = logits.Select(logit => Math.Exp((logit - max) / config.Temperature)).ToArray();
        var order = Enumerable.Range(0, logits.Length).OrderByDescending(id => logits[id]).ThenBy(id => id).ToArray();
        if (config.TopK > 0)
        {
            float kth = logits[order[config.TopK - 1]];
            for (int id = 0; id < weights.Length; id++) if (logits[id] < kth) weights[id] = 0;
        }
        if (config.TopP < 1)
        {
            double above = 0, target = config.TopP * weights.Sum();
            foreach (int id in order)
            {
                double weight = weights[id];
                if (above >= target && above > 0) weights[id] = 0;
                above += weight;
            }
        }
        for (int id = 0; id < weights.Length; id++) if (weights[id] < config.MinP) weights[id] = 0;
        double total = weights.Sum();
        return [.. weights.Select(weight => weight / total)];
    }

    private sealed record GoldenCase(
        string Name, SamplingConfig Config, int[] Context, float[] Logits, float[] Processed, double[] Probabilities, int Kept, bool TiesAtTheCut,
        double[] Uniforms, int[] Picks, double[] DistanceToBoundary);

    private static IEnumerable<GoldenCase> GoldenCases()
    {
        var tensors = new GoldenFloats(Reference.Golden("sampling", "tensors.safetensors"));
        foreach (var line in Lines().Where(line => line.TryGetProperty("config", out _)))
        {
            string name = line.GetProperty("name").GetString()!;
            var config = line.GetProperty("config");
            yield return new GoldenCase(
                name,
                new SamplingConfig
                {
                    Temperature = config.GetProperty("temperature").GetDouble(),
                    TopK = config.GetProperty("top_k").GetInt32(),
                    TopP = config.GetProperty("top_p").GetDouble(),
                    MinP = config.GetProperty("min_p").ValueKind == JsonValueKind.Null ? 0 : config.GetProperty("min_p").GetDouble(),
                    RepetitionPenalty = config.GetProperty("repetition_penalty").GetDouble(),
                },
                line.GetProperty("context").Deserialize<int[]>()!,
                tensors[$"{name}.logits"],
                tensors[$"{name}.processed"],
                [.. tensors[$"{name}.probabilities_f32"]],
                line.GetProperty("kept").GetInt32(),
                line.GetProperty("ties_at_the_cut").GetBoolean(),
                line.GetProperty("u").Deserialize<double[]>()!,
                line.GetProperty("picks").Deserialize<int[]>()!,
                line.GetProperty("distance_of_u_to_nearest_boundary").Deserialize<double[]>()!);
        }
    }

    private static IEnumerable<JsonElement> Lines() =>
        File.ReadLines(Reference.Golden("sampling", "cases.jsonl")).Select(line => JsonSerializer.Deserialize<JsonElement>(line));

    /// <summary>The float32 tensors of a safetensors file.</summary>
    private sealed class GoldenFloats
    {
        private readonly byte[] _bytes;
        private readonly int _dataStart;
        private readonly JsonElement _header;

        public GoldenFloats(string path)
        {
            _bytes = File.ReadAllBytes(path);
            _dataStart = 8 + (int)BitConverter.ToInt64(_bytes);
            _header = JsonSerializer.Deserialize<JsonElement>(_bytes.AsSpan(8.._dataStart));
        }

        public float[] this[string name]
        {
            get
            {
                var tensor = _header.GetProperty(name);
                Assert.Equal("F32", tensor.GetProperty("dtype").GetString());
                int[] offsets = tensor.GetProperty("data_offsets").Deserialize<int[]>()!;
                return MemoryMarshal.Cast<byte, float>(_bytes.AsSpan(_dataStart)[offsets[0]..offsets[1]]).ToArray();
            }
        }
    }
}
