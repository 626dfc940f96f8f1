using DeepSeekR1.Models;
using static DeepSeekR1.Tests.Models.ModelFixtures;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Models;

/// <summary>Every tiny model against transformers: golden/models/README.md states the bounds.</summary>
public class GoldenModelTests(ITestOutputHelper output)
{
    private const double LogitBound = 2e-4;
    /// <summary>Of the largest entry of the gradient.</summary>
    private const double GradientBound = 1e-4;

    private static readonly string[] _names =
    [
        "llama", "llama3-rope-tied", "llama-linear-rope-bias", "qwen2", "qwen2-tied", "qwen2-sliding", "qwen3", "qwen3-tied-yarn", "qwen3-moe",
        "mistral-sliding", "mistral-full", "deepseek-v3", "deepseek-v3-no-q-lora", "deepseek-v3-not-interleaved",
    ];

    /// <summary>The same weights stored otherwise; those without gradients of their own.</summary>
    private static readonly string[] _storedOtherwise = ["llama-bf16", "llama-f16"];

    public static TheoryData<string, string> ModelsAndConfigs =>
        [.. from name in _names from config in new[] { "config.json", "config.classic.json" } select (name, config)];

    public static TheoryData<string, string> AllModelsAndConfigs =>
        [.. from name in _names.Concat(_storedOtherwise) from config in new[] { "config.json", "config.classic.json" } select (name, config)];

    public static TheoryData<string> Models => [.. _names];

    [Theory, MemberData(nameof(AllModelsAndConfigs))]
    public void Logits_and_log_probabilities_equal_the_reference(string name, string config)
    {
        using var scope = NewDisposeScope();
        using var model = Load(name, config);
        using var noGrad = no_grad();
        CompareLogits(model, GoldenTensors(name));
    }

    [Fact]
    public void Sharded_weights_give_the_same_logits()
    {
        using var scope = NewDisposeScope();
        using var model = Load("llama-sharded");
        using var noGrad = no_grad();
        CompareLogits(model, GoldenTensors("llama"));
    }

    [Theory, MemberData(nameof(ModelsAndConfigs))]
    public void Loss_and_every_gradient_equal_the_reference(string name, string config)
    {
        using var scope = NewDisposeScope();
        using var model = Load(name, config);
        var golden = GoldenTensors(name);
        var loss = Loss(model.Logits(model.Hidden(golden["input_ids"])), golden["labels"]);
        Assert.Equal(golden["loss"].item<float>(), loss.item<float>(), 1e-4);
        loss.backward();

        Assert.Equal(golden.Keys.Where(key => key.StartsWith("grad.", StringComparison.Ordinal)).Select(key => key[5..]).Order(StringComparer.Ordinal),
            model.Parameters.Where(parameter => parameter.Value.requires_grad).Select(parameter => parameter.Key).Order(StringComparer.Ordinal));
        foreach (var (parameter, value) in model.Parameters.Where(parameter => parameter.Value.requires_grad))
        {
            var expected = golden["grad." + parameter];
            double largest = expected.abs().max().item<float>();
            var actual = value.grad is { } gradient ? gradient : zeros_like(value);
            double difference = Difference(actual, expected) / largest;
            output.WriteLine($"{parameter} {difference:E1}");
            Assert.True(difference <= GradientBound, $"{parameter}: gradient differs by {difference:E2} of its largest entry");
        }
    }

    [Theory, MemberData(nameof(Models))]
    public void Greedy_continuations_through_the_cache_equal_the_reference(string name)
    {
        using var model = Load(name);
        foreach (var generation in GoldenJson(name)["generations"]!.AsArray())
        {
            long[] expected = Integers(generation!["ids"]);
            var (ids, logProbs) = Greedy(model, Integers(generation["prompt"]), expected.Length);
            Assert.Equal(expected, ids);
            var expectedLogProbs = generation["logprobs"]!.AsArray().Select(value => (double)value!);
            foreach (var (want, got) in expectedLogProbs.Zip(logProbs)) Assert.Equal(want, got, 2e-4);
        }
    }

    [Theory, MemberData(nameof(Models))]
    public void Left_padded_rows_equal_single_sequences(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Load(name);
        var ids = GoldenTensors(name)["input_ids"];
        long length = ids.shape[1];
        int[] paddings = [0, 7, (int)length - 3];
        var padded = stack([.. paddings.Select((padding, row) => cat([zeros([padding], ScalarType.Int64), ids[row].narrow(0, 0, length - padding)]))]);
        var padding = tensor(paddings, ScalarType.Int64);
        var positions = (arange(length, ScalarType.Int64).unsqueeze(0) - padding.unsqueeze(1)).clamp(min: 0);
        var mask = LeftPaddingMask(padding, length, length);
        var together = model.Logits(model.Hidden(padded, positions, mask));
        for (int row = 0; row < paddings.Length; row++)
        {
            var alone = model.Logits(model.Hidden(ids[row].narrow(0, 0, length - paddings[row]).unsqueeze(0)));
            Assert.InRange(Difference(together[row].narrow(0, paddings[row], length - paddings[row]), alone[0]), 0, LogitBound);
        }
    }

    [Theory, MemberData(nameof(Models))]
    public void Padding_on_the_left_leaves_no_trace_in_the_gradient(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Load(name);
        var ids = GoldenTensors(name)["input_ids"].narrow(0, 0, 1);
        long length = ids.shape[1];
        const int paddingCount = 6;
        model.Logits(model.Hidden(ids)).square().mean().backward();
        var expected = model.Parameters.Where(parameter => parameter.Value.grad is not null).ToDictionary(parameter => parameter.Key, parameter => parameter.Value.grad!.clone());
        foreach (var parameter in model.Parameters.Values) parameter.grad = null;

        // The rows of padding may attend to nothing at all.
        var padding = tensor(new long[] { paddingCount });
        var padded = cat([zeros([1, paddingCount], ScalarType.Int64), ids], 1);
        var positions = (arange(length + paddingCount, ScalarType.Int64).unsqueeze(0) - paddingCount).clamp(min: 0);
        var hidden = model.Hidden(padded, positions, LeftPaddingMask(padding, length + paddingCount, length + paddingCount));
        model.Logits(hidden.narrow(1, paddingCount, length)).square().mean().backward();
        foreach (var (parameter, gradient) in expected)
            Assert.InRange(Difference(model.Parameters[parameter].grad!, gradient) / (gradient.abs().max().item<float>() + 1e-12), 0, GradientBound);
    }

    [Theory, MemberData(nameof(Models))]
    public void Cached_decoding_equals_the_full_forward_pass(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Load(name);
        var ids = GoldenTensors(name)["input_ids"];
        int length = (int)ids.shape[1];
        var full = model.Logits(model.Hidden(ids));

        // The prompt in one piece, a few tokens together, the rest one by one.
        using var cache = KvCache.Create(model, (int)ids.shape[0], length);
        int[] pieces = [length / 2, 5, .. Enumerable.Repeat(1, length - length / 2 - 5)];
        int start = 0;
        foreach (int piece in pieces)
        {
            using var step = NewDisposeScope();
            var logits = model.Logits(model.Hidden(ids.narrow(1, start, piece), cache: cache));
            Assert.InRange(Difference(logits, full.narrow(1, start, piece)), 0, LogitBound);
            start += piece;
        }
        Assert.Equal(length, cache.Length);
    }

    private void CompareLogits(CausalLM model, Dictionary<string, Tensor> golden)
    {
        var ids = golden["input_ids"];
        var seen = golden["attention_mask"].to(ScalarType.Bool);
        var logits = model.Logits(model.Hidden(ids));
        double logitDifference = Difference(logits[seen], golden["logits"][seen]);
        var seenNext = seen.narrow(1, 1, seen.shape[1] - 1);
        double logProbDifference = Difference(NextTokenLogProbs(logits, ids)[seenNext], golden["logprobs"][seenNext]);
        output.WriteLine($"logits {logitDifference:E1}, log-probabilities {logProbDifference:E1}");
        Assert.InRange(logitDifference, 0, LogitBound);
        Assert.InRange(logProbDifference, 0, LogitBound);
    }
}
