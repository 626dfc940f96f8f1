using System.Text.Json.Nodes;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using DeepSeekR1.Testing;
using static DeepSeekR1.Tests.Models.ModelFixtures;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Models;

/// <summary>A real pretrained model in float32 against transformers. Slow: 135 million parameters on the CPU.</summary>
[Trait("Category", "Slow")]
public class SmolLm2Tests(SmolLm2Tests.Pretrained pretrained, ITestOutputHelper output) : IClassFixture<SmolLm2Tests.Pretrained>
{
    private const string Folder = "smollm2-135m-instruct";
    private const double LogitBound = 2e-4;

    [Fact]
    public void Log_probabilities_and_logits_of_every_prompt_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var model = pretrained.Model;
        var golden = GoldenTensors(Folder);
        foreach (string name in PromptNames)
        {
            var ids = golden[name + ".input_ids"].unsqueeze(0);
            var logits = model.Logits(model.Hidden(ids));
            double logProbs = Difference(NextTokenLogProbs(logits, ids)[0], golden[name + ".logprobs"]);
            double top = Difference(logits[0, -1].index_select(0, golden[name + ".top_ids"]), golden[name + ".top_logits"]);
            double all = golden.TryGetValue(name + ".logits", out var full) ? Difference(logits[0], full) : 0;
            output.WriteLine($"{name}: log-probabilities {logProbs:E1}, top logits {top:E1}, all logits {all:E1}");
            Assert.InRange(Math.Max(logProbs, Math.Max(top, all)), 0, LogitBound);
        }
    }

    [Fact]
    public void Greedy_continuations_through_the_cache_equal_the_reference()
    {
        // All prompts in one left-padded batch: the reference's smallest margin is a hundred times what padding changes.
        var prompts = GoldenJson(Folder)["prompts"]!.AsArray();
        long[][] expected = [.. prompts.Select(prompt => Integers(prompt!["greedy_ids"]))];
        long[][] actual = GreedyBatch(pretrained.Model, [.. prompts.Select(prompt => Integers(prompt!["input_ids"]))], expected[0].Length);
        foreach (var (want, got) in expected.Zip(actual)) Assert.Equal(want, got);
    }

    [Fact]
    public void A_left_padded_batch_equals_the_reference_of_each_prompt()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var model = pretrained.Model;
        var golden = GoldenTensors(Folder);
        var ids = golden["batch.input_ids"];
        long length = ids.shape[1];
        var mask = LeftPaddingMask(golden["batch.attention_mask"].eq(0).sum(1, type: ScalarType.Int64), length, length);
        var logits = model.Logits(model.Hidden(ids, golden["batch.position_ids"], mask));
        var logProbs = NextTokenLogProbs(logits, ids);
        for (int row = 0; row < ids.shape[0]; row++)
        {
            string name = PromptNames.Single(name => EndsWith(ids[row], golden[name + ".input_ids"]));
            var expected = golden[name + ".logprobs"];
            Assert.InRange(Difference(logProbs[row].narrow(0, length - 1 - expected.shape[0], expected.shape[0]), expected), 0, LogitBound);
        }
    }

    private static long[][] GreedyBatch(CausalLM model, long[][] prompts, int count)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        int longest = prompts.Max(prompt => prompt.Length);
        var padding = tensor(prompts.Select(prompt => (long)longest - prompt.Length).ToArray());
        var next = stack([.. prompts.Select(prompt => tensor([.. new long[longest - prompt.Length], .. prompt], ScalarType.Int64))]);
        using var cache = KvCache.Create(model, prompts.Length, longest + count);
        var columns = new List<long[]>();
        while (columns.Count < count)
        {
            long past = cache.Length, queries = next.shape[1];
            var positions = (arange(past, past + queries, ScalarType.Int64).unsqueeze(0) - padding.unsqueeze(1)).clamp(min: 0);
            var hidden = model.Hidden(next, positions, LeftPaddingMask(padding, queries, past + queries), cache);
            next = model.Logits(hidden.narrow(1, queries - 1, 1)).argmax(-1);
            columns.Add(next.data<long>().ToArray());
        }
        return [.. prompts.Select((_, row) => columns.Select(column => column[row]).ToArray())];
    }

    private static IEnumerable<string> PromptNames => GoldenJson(Folder)["prompts"]!.AsArray().Select((JsonNode? prompt) => (string)prompt!["name"]!);

    private static bool EndsWith(Tensor row, Tensor ids) => row.data<long>().ToArray().AsSpan().EndsWith(ids.data<long>().ToArray());

    public sealed class Pretrained : IDisposable
    {
        private CausalLM? _model;

        // Loaded by the first test, so that an absent folder skips tests instead of failing the fixture.
        internal CausalLM Model
        {
            get
            {
                var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu });
                return _model ??= HfCheckpoint.LoadModel(Reference.SmolLm2(), runtime, ScalarType.Float32);
            }
        }

        public void Dispose() => _model?.Dispose();
    }
}
