using System.Text.Json;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Models;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Rollouts;

public sealed class TorchDecoderTests
{
    private const double LogitTolerance = 2e-4;

    private static readonly TorchRuntime _runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Dtype = DtypeChoice.Float32 });
    private static readonly RolloutAddress _address = new(new AddressedRandom(1, RandomPurpose.Rollout), Step: 2);

    [Theory, InlineData("llama"), InlineData("llama3-rope-tied"), InlineData("qwen2")]
    public void Logits_of_ragged_forking_shrinking_sequences_are_those_of_a_full_forward_pass(string name)
    {
        using var model = Load(name);
        using var decoder = new TorchDecoder(model);
        List<int>[] prompts = [[5, 6, 7], [1, 2, 3, 4, 5, 6, 7, 8], [9]];
        int[] copies = [3, 1, 6];
        List<List<int>> sequences = [.. prompts.Zip(copies).SelectMany(pair => Enumerable.Range(0, pair.Second).Select(_ => pair.First.ToList()))];
        var stream = _address.Random.Stream();
        const int NewTokens = 9;
        using var batch = decoder.Start([.. prompts.Select(prompt => (ReadOnlyMemory<int>)prompt.ToArray())], copies, NewTokens);
        for (int step = 1; ; step++)
        {
            Assert.Equal(sequences.Count, batch.Count);
            for (int i = 0; i < sequences.Count; i++) Assert.InRange(Difference(batch.Logits(i), FullForward(model, sequences[i])), 0, LogitTolerance);
            if (step == NewTokens) break;
            int[] keep = [.. Enumerable.Range(0, sequences.Count).Where(i => i != step % sequences.Count || sequences.Count == 1)];
            int[] tokens = [.. keep.Select(_ => stream.Next(model.Config.VocabularySize))];
            sequences = [.. keep.Select((old, i) => (List<int>)[.. sequences[old], tokens[i]])];
            batch.Advance(keep, tokens);
        }
    }

    [Theory, InlineData("llama"), InlineData("qwen2"), InlineData("qwen2-tied"), InlineData("llama-linear-rope-bias")]
    public void Greedy_completions_of_a_padded_batch_equal_the_reference(string name)
    {
        var generations = GoldenJson("models", name, "golden.json").GetProperty("generations").EnumerateArray().ToArray();
        int[][] expected = [.. generations.Select(generation => generation.GetProperty("ids").Deserialize<int[]>()!)];
        using var model = Load(name);
        using var decoder = new TorchDecoder(model);
        Assert.Equal(expected, Greedy(decoder, [.. generations.Select(generation => generation.GetProperty("prompt").Deserialize<int[]>()!)], expected.Max(ids => ids.Length)));
    }

    [Theory, InlineData(1.0, 1.0), InlineData(0.7, 1.3), InlineData(0.0, 1.0)]
    public void Tokens_drawn_where_the_logits_are_are_those_drawn_on_the_host(double temperature, double penalty)
    {
        using var model = Load("llama");
        var sampling = new SamplingConfig { Temperature = temperature, RepetitionPenalty = penalty, TopP = 0.9, MaxNewTokens = 12 };
        EncodedPrompt[] prompts = [.. new[] { new[] { 5, 6, 7 }, [1, 2, 3, 4, 5, 6, 7, 8] }.Select((ids, i) => new EncodedPrompt(new Prompt { Id = $"{i}", Text = "" }, ids, i))];
        RolloutGroup[] Roll(bool onDevice)
        {
            using var decoder = new TorchDecoder(model) { DrawsOnDevice = onDevice };
            return new RolloutEngine(decoder, new BytesTokenizer(), [3]).Generate(prompts, 3, sampling, _address);
        }
        var (host, device) = (Roll(false), Roll(true));
        foreach (var (expected, actual) in host.Zip(device).SelectMany(pair => pair.First.Rollouts.Zip(pair.Second.Rollouts)))
        {
            Assert.Equal(expected.Ids.ToArray(), actual.Ids.ToArray());
            foreach (var (one, other) in expected.LogProbs.ToArray().Zip(actual.LogProbs.ToArray())) Assert.Equal(one, other, 1e-5);
        }
    }

    // Slow: reads 270 MB of weights and decodes 64 tokens of eight prompts in float32.
    [Fact, Trait("Category", "Slow")]
    public void Greedy_completions_of_SmolLM2_equal_the_reference()
    {
        var prompts = GoldenJson("models", "smollm2-135m-instruct", "golden.json").GetProperty("prompts").EnumerateArray().ToArray();
        int[][] expected = [.. prompts.Select(prompt => prompt.GetProperty("greedy_ids").Deserialize<int[]>()!)];
        using var model = HfCheckpoint.LoadModel(Reference.SmolLm2(), _runtime, ScalarType.Float32);
        using var decoder = new TorchDecoder(model);
        Assert.Equal(expected, Greedy(decoder, [.. prompts.Select(prompt => prompt.GetProperty("input_ids").Deserialize<int[]>()!)], expected.Max(ids => ids.Length)));
    }

    [Fact]
    public void Batch_composition_changes_no_token()
    {
        using var model = Load("llama");
        using var decoder = new TorchDecoder(model);
        var sampling = new SamplingConfig { MaxNewTokens = 16, Temperature = 0.9, TopP = 0.98 };
        int[] stopIds = [.. Enumerable.Range(0, model.Config.VocabularySize / 12)];
        EncodedPrompt[] prompts = [.. Enumerable.Range(0, 6).Select(i => Prompt(i, [.. Enumerable.Range(20, 1 + (i * 5 % 7)).Select(id => id * (i + 1) % 300)]))];
        int[][] together = Ids(new RolloutEngine(decoder, new BytesTokenizer(), stopIds).Generate(prompts, 5, sampling, _address));
        Assert.Contains(together, ids => ids.Length < 16);
        foreach (int maxSequences in new[] { 1, 3, 12 })
        {
            var engine = new RolloutEngine(decoder, new BytesTokenizer(), stopIds, new RolloutLimits { MaxSequences = maxSequences });
            Assert.Equal(together, Ids(engine.Generate(prompts, 5, sampling, _address)));
        }
    }

    [Fact]
    public void Sampling_leaves_no_tensor_behind_and_gradients_on()
    {
        using var model = Load("llama");
        using var decoder = new TorchDecoder(model);
        var engine = new RolloutEngine(decoder, new BytesTokenizer(), []);
        void Generate() => engine.Generate([Prompt(0, [1, 2]), Prompt(1, [3])], 2, new SamplingConfig { MaxNewTokens = 4 }, _address);
        Generate();
        // Counted on this thread alone: other tests run beside this one.
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Generate();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.True(is_grad_enabled());
    }

    [Fact]
    public void Diverged_weights_are_one_clear_sentence()
    {
        using var model = Load("llama");
        using (no_grad()) model.Parameters["model.norm.weight"].fill_(float.NaN);
        using var decoder = new TorchDecoder(model);
        var failure = Assert.Throws<R1Exception>(() => Greedy(decoder, [[1]], 2));
        Assert.Contains("NaN", failure.Message);
    }

    private static CausalLM Load(string name) => HfCheckpoint.LoadModel(Reference.Golden("models", name), _runtime, ScalarType.Float32);

    private static EncodedPrompt Prompt(int index, int[] ids) => new(new Prompt { Id = $"p{index}", Text = "" }, ids, index);

    private static int[][] Greedy(TorchDecoder decoder, int[][] prompts, int newTokens) => Ids(
        new RolloutEngine(decoder, new BytesTokenizer(), []).Generate(
            [.. prompts.Select((ids, i) => Prompt(i, ids))], 1, new SamplingConfig { Temperature = 0, MaxNewTokens = newTokens }, _address));

    private static int[][] Ids(RolloutGroup[] groups) => [.. groups.SelectMany(group => group.Rollouts.Select(rollout => rollout.Ids.ToArray()))];

    private static float[] FullForward(CausalLM model, List<int> ids)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var hidden = model.Hidden(tensor([.. ids.Select(id => (long)id)], [1, ids.Count]));
        return model.Logits(hidden.select(1, ids.Count - 1)).data<float>().ToArray();
    }

    private static double Difference(ReadOnlySpan<float> actual, float[] expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        double difference = 0;
        for (int i = 0; i < expected.Length; i++) difference = Math.Max(difference, Math.Abs(actual[i] - expected[i]));
        return difference;
    }

    private static JsonElement GoldenJson(params string[] parts) => JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(Reference.Golden(parts)));
}
