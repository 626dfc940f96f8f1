using DeepSeekR1.Checkpoints;
using DeepSeekR1.Models;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Rollouts.Cpu;
using DeepSeekR1.Runtime;
using DeepSeekR1.Testing;
using DeepSeekR1.Tests.Models;
using DeepSeekR1.Training;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Rollouts.Cpu;

/// <summary>
/// Log-probabilities that the fast path samples with against those that the training forward pass gives the same tokens:
/// <c>sampling/logp_difference</c> of a step before its update, on a fresh model of the mini recipe's shape.
/// </summary>
public class SamplerAgreesWithTrainerTests(ITestOutputHelper output)
{
    private const double Temperature = 0.9;

    // At most: rounding of float32; of keys, values and the trainer's activations to the 8 bits of bfloat16.
    [Theory, InlineData(ScalarType.Float32, 2e-5, 2e-6), InlineData(ScalarType.BFloat16, 0.1, 0.02)]
    public void Log_probabilities_of_drawn_tokens_agree(ScalarType dtype, double largest, double mean)
    {
        var config = new ModelConfig { VocabularySize = 318, HiddenSize = 64, IntermediateSize = 176, Layers = 3, Heads = 4, MaxPositions = 192, TieWordEmbeddings = true };
        using var model = CausalLM.Create(config, ModelFixtures.Runtime, new AddressedRandom(3, RandomPurpose.Weights), dtype);
        using var decoder = new CpuDecoder(model, threads: 2);
        var engine = new RolloutEngine(decoder, new BytesTokenizer(), stopIds: [7, 8, 9]);
        EncodedPrompt[] prompts =
        [
            .. Enumerable.Range(0, 4).Select(i =>
                new EncodedPrompt(new Prompt { Id = $"p{i}", Text = "" }, Enumerable.Range(0, 20 + 5 * i).Select(token => (token * 31 + 7 * i) % 318).ToArray(), i)),
        ];
        var groups = engine.Generate(
            prompts, groupSize: 6, new SamplingConfig { Temperature = Temperature, MaxNewTokens = 42 }, new RolloutAddress(new AddressedRandom(1, RandomPurpose.Rollout), Step: 0));
        double[] differences = [.. groups.SelectMany(group => group.Rollouts).SelectMany(rollout => Differences(model, rollout))];
        output.WriteLine($"{dtype}: {differences.Length} tokens, mean {differences.Average():E1}, max {differences.Max():E1}");
        Assert.InRange(differences.Max(), 0, largest);
        Assert.InRange(differences.Average(), 0, mean);
    }

    // Long enough for several pages of the cache and several chunks; prompts of one token and of many; more than one group held at a time.
    [Theory]
    [InlineData("llama", ScalarType.Float32, KernelWidth.Auto, 1), InlineData("llama", ScalarType.BFloat16, KernelWidth.Auto, 2), InlineData("qwen2", ScalarType.Float32, KernelWidth.Avx2, 3)]
    [InlineData("qwen3", ScalarType.BFloat16, KernelWidth.Portable, 1), InlineData("mistral-full", ScalarType.BFloat16, KernelWidth.Auto, 1)]
    public void Completions_read_again_have_the_bits_they_were_drawn_with(string name, ScalarType dtype, KernelWidth width, int threads)
    {
        using var model = HfCheckpoint.LoadModel(Reference.Golden("models", name), ModelFixtures.Runtime, dtype);
        using var decoder = new CpuDecoder(model, threads, width, smallestSharedStage: 0);
        int vocabulary = model.Config.VocabularySize, room = Math.Min(model.Config.MaxPositions, 260);
        var engine = new RolloutEngine(decoder, new BytesTokenizer(), stopIds: [7], new RolloutLimits { MaxSequences = 13 });
        EncodedPrompt[] prompts = [.. new[] { 1, 16, 33, 50 }.Select((length, i) =>
            new EncodedPrompt(new Prompt { Id = $"p{i}", Text = "" }, Enumerable.Range(0, length).Select(token => (token * 31 + 7 * i + 1) % vocabulary).ToArray(), i))];
        var groups = engine.Generate(
            prompts, groupSize: 5, new SamplingConfig { Temperature = Temperature, TopP = 0.95, MaxNewTokens = room - 50 }, new RolloutAddress(new AddressedRandom(1, RandomPurpose.Rollout), Step: 0));
        // In an order that scatters the groups, as minibatches do.
        Rollout[] rollouts = [.. groups.SelectMany(group => group.Rollouts).OrderBy(rollout => rollout.Ids.Span[0]).ThenBy(rollout => rollout.Ids.Length)];
        Assert.Contains(rollouts, rollout => rollout.Ids.Length > 64);
        float[][] again = decoder.LogProbs([.. rollouts.Select(rollout => (rollout.PromptIds, rollout.Ids))], Temperature);
        Assert.Equal(rollouts.Select(rollout => rollout.LogProbs.ToArray()), again);
    }

    [Fact]
    public void A_text_that_does_not_fit_or_is_not_of_the_vocabulary_is_refused()
    {
        using var model = HfCheckpoint.LoadModel(Reference.Golden("models", "llama"), ModelFixtures.Runtime);
        using var decoder = new CpuDecoder(model, threads: 1);
        Assert.Contains("positions", Assert.Throws<R1Exception>(() => decoder.LogProbs([(new[] { 1 }, new int[model.Config.MaxPositions + 1])], 1)).Message, StringComparison.Ordinal);
        Assert.Contains("vocabulary", Assert.Throws<R1Exception>(() => decoder.LogProbs([(new[] { 1 }, new[] { 2, 1 << 20 })], 1)).Message, StringComparison.Ordinal);
        Assert.Empty(decoder.LogProbs([(new[] { 1 }, Array.Empty<int>())], 1)[0]);
        using var batch = decoder.Start([new[] { 1, 2 }], [1], 1);
        Assert.Throws<InvalidOperationException>(() => decoder.LogProbs([(new[] { 1 }, new[] { 2 })], 1));
    }

    private static IEnumerable<double> Differences(CausalLM model, Rollout rollout)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        int[] ids = [.. rollout.PromptIds.Span, .. rollout.Ids.Span];
        var hidden = model.Hidden(ModelFixtures.Row(ids.Select(id => (long)id)))[0].narrow(0, rollout.PromptIds.Length - 1, rollout.Ids.Length);
        var targets = tensor(rollout.Ids.ToArray(), ScalarType.Int64);
        using var trainer = new TokenLogProbs(hidden, model.Parameters["model.embed_tokens.weight"], targets, Temperature, keepForBackward: false);
        float[] expected = trainer.LogProbs.to(ScalarType.Float32).data<float>().ToArray();
        return [.. expected.Zip(rollout.LogProbs.ToArray()).Select(pair => Math.Abs((double)pair.First - pair.Second))];
    }
}
