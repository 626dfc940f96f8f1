using DeepSeekR1.Checkpoints;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Rollouts.Cpu;
using DeepSeekR1.Runtime;
using DeepSeekR1.Testing;
using DeepSeekR1.Tests.Models;
using static DeepSeekR1.Tests.Models.ModelFixtures;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Rollouts.Cpu;

/// <summary>The decoder against transformers' outputs, and its promises: same bits in any batch and on any number of threads.</summary>
public class CpuDecoderTests(ITestOutputHelper output)
{
    private const double LogitBound = 2e-4;

    private static readonly string[] _models =
        ["llama", "llama3-rope-tied", "llama-linear-rope-bias", "llama-bf16", "qwen2", "qwen2-tied", "mistral-full", "qwen3", "qwen3-tied-yarn"];

    private static readonly KernelWidth[] _allWidths = [KernelWidth.Auto, KernelWidth.Avx2, KernelWidth.Portable];

    public static TheoryData<string, KernelWidth> ModelsAndWidths => [.. from name in _models from width in _allWidths select (name, width)];

    /// <summary>Those whose greedy continuations the reference has.</summary>
    public static TheoryData<string, KernelWidth> ContinuedModelsAndWidths =>
        [.. from name in _models.Except(["llama-bf16"]) from width in _allWidths select (name, width)];

    public static TheoryData<KernelWidth> Widths => [.. _allWidths];

    [Theory, MemberData(nameof(ModelsAndWidths))]
    public void Logits_equal_the_reference_after_prompts_and_after_own_tokens(string name, KernelWidth width)
    {
        using var model = Load(name);
        using var decoder = new CpuDecoder(model, threads: 2, width, smallestSharedStage: 0);
        using var scope = NewDisposeScope();
        var golden = GoldenTensors(name);
        int[][] rows = [.. Rows(golden)];
        using var logits = golden["logits"];
        double worst = 0;

        // All rows together from prompts of different lengths, so that each logit comes once after a prompt or after own tokens.
        int[] prompts = [.. rows.Select((row, i) => 3 + 7 * i)];
        using var batch = decoder.Start([.. rows.Select((row, i) => (ReadOnlyMemory<int>)row.AsMemory(0, prompts[i]))], [.. rows.Select(_ => 1)], rows.Max(row => row.Length));
        var live = Enumerable.Range(0, rows.Length).ToList();
        for (int step = 0; ; step++)
        {
            for (int i = 0; i < live.Count; i++)
                worst = Math.Max(worst, Difference(batch.Logits(i), logits[live[i], prompts[live[i]] + step - 1]));
            int[] keep = [.. Enumerable.Range(0, live.Count).Where(i => prompts[live[i]] + step < rows[live[i]].Length)];
            if (keep.Length == 0) break;
            batch.Advance(keep, [.. keep.Select(i => rows[live[i]][prompts[live[i]] + step])]);
            live = [.. keep.Select(i => live[i])];
        }
        output.WriteLine($"logits differ by at most {worst:E1}");
        Assert.InRange(worst, 0, LogitBound);
    }

    [Theory, MemberData(nameof(ContinuedModelsAndWidths))]
    public void Greedy_continuations_equal_the_reference(string name, KernelWidth width)
    {
        using var model = Load(name);
        using var decoder = new CpuDecoder(model, threads: 1, width);
        var generations = GoldenJson(name)["generations"]!.AsArray();
        int[][] prompts = [.. generations.Select(generation => Ids(Integers(generation!["prompt"])))];
        int[][] expected = [.. generations.Select(generation => Ids(Integers(generation!["ids"])))];
        Assert.Equal(expected, Greedy(decoder, prompts, expected[0].Length));
    }

    [Theory, MemberData(nameof(Widths))]
    public void A_sequence_has_the_same_bits_in_any_batch_and_on_any_number_of_threads(KernelWidth width)
    {
        using var model = Load("qwen2");
        int[] prompt = Ids(Integers(GoldenJson("qwen2")["generations"]![1]!["prompt"]));
        int[] tokens = [.. Enumerable.Range(0, 80).Select(i => (i * 37 + 5) % model.Config.VocabularySize)];

        using var single = new CpuDecoder(model, threads: 1, width);
        float[][] alone = Trace(single, [prompt], [1], 0, tokens);
        // Shared work and work done alone, by what pays and always.
        foreach (var (threads, smallestSharedStage) in new[] { (1, 0L), (2, 0L), (3, 0L), (2, ForwardPass.SmallestSharedStage) })
        {
            using var decoder = new CpuDecoder(model, threads, width, smallestSharedStage);
            // Other prompts before and behind it, other copies of its own; many enough for both ways of sharing the work.
            int[] other = [.. prompt.Reverse().Take(prompt.Length - 3)];
            Assert.Equal(alone, Trace(decoder, [prompt], [1], 0, tokens));
            Assert.Equal(alone, Trace(decoder, [other, prompt, other], [3, 4, 2], 5, tokens));
            Assert.Equal(alone, Trace(decoder, [other, prompt, other], [40, 70, 20], 101, tokens));
        }
    }

    [Fact]
    public void Sequences_that_leave_do_not_disturb_those_that_stay()
    {
        using var model = Load("llama");
        using var decoder = new CpuDecoder(model, threads: 2);
        int[] prompt = Ids(Integers(GoldenJson("llama")["generations"]![0]!["prompt"]));
        int[] tokens = [.. Enumerable.Range(0, 20).Select(i => (i * 11 + 3) % model.Config.VocabularySize)];
        float[][] alone = Trace(decoder, [prompt], [1], 0, tokens);

        using var batch = decoder.Start([prompt], [6], tokens.Length);
        int followed = 4;
        for (int step = 0; step < tokens.Length; step++)
        {
            Assert.Equal(alone[step], batch.Logits(followed).ToArray());
            int leaving = step % 4 == 1 && batch.Count > 1 ? (followed > 0 ? 0 : batch.Count - 1) : -1;
            int[] keep = [.. Enumerable.Range(0, batch.Count).Where(i => i != leaving)];
            batch.Advance(keep, [.. keep.Select(i => i == followed ? tokens[step] : 1)]);
            if (leaving == 0) followed--;
            Assert.Equal(keep.Length, batch.Count);
        }
        Assert.Equal(alone[^1], batch.Logits(followed).ToArray());
    }

    [Theory, InlineData(1), InlineData(2)]
    public void A_prompt_that_joins_has_the_same_bits_as_alone_and_disturbs_nobody(int threads)
    {
        using var model = Load("llama");
        using var decoder = new CpuDecoder(model, threads);
        int[] prompt = Ids(Integers(GoldenJson("llama")["generations"]![0]!["prompt"])), joining = [.. prompt.Reverse(), 3, 1];
        int[] tokens = [.. Enumerable.Range(0, 20).Select(i => (i * 11 + 3) % model.Config.VocabularySize)];
        float[][] first = Trace(decoder, [prompt], [1], 0, tokens), second = Trace(decoder, [joining], [1], 0, tokens);

        const int Late = 5;
        using var batch = decoder.Start([prompt], [2], tokens.Length);
        for (int step = 0; step < Late; step++)
        {
            Assert.Equal(first[step], batch.Logits(1).ToArray());
            batch.Advance([0, 1], [7, tokens[step]]);
        }
        // More copies than there were rows, so that the logits move.
        batch.Join([joining, prompt], [40, 60], tokens.Length);
        Assert.Equal(102, batch.Count);
        Assert.Equal(first[0], batch.Logits(101).ToArray());
        int[] keep = [.. Enumerable.Range(0, 102)];
        int followed = 1, joined = 20;
        for (int step = 0; Late + step < tokens.Length; step++)
        {
            Assert.Equal(first[Late + step], batch.Logits(followed).ToArray());
            Assert.Equal(second[step], batch.Logits(joined).ToArray());
            batch.Advance(keep, [.. keep.Select((_, i) => i == followed ? tokens[Late + step] : i == joined ? tokens[step] : 1)]);
            if (step > 0) continue;
            (keep, followed, joined) = ([0, 1, 2], 0, 1);
            batch.Advance([1, 20, 101], [tokens[Late + 1], tokens[1], 2]);
            step++;
        }
    }

    [Fact]
    public void Many_long_prompts_are_read_in_pieces_with_the_same_result()
    {
        using var model = Load("llama");
        using var decoder = new CpuDecoder(model, threads: 2);
        int longest = model.Config.MaxPositions;
        // Enough tokens for several chunks, whose limits fall inside prompts.
        int[][] prompts =
        [
            .. Enumerable.Range(0, 3 + 1300 / longest).Select(prompt =>
                Enumerable.Range(0, longest - 5 * prompt % longest).Select(i => (i * 7919 + prompt * 31 + i / 7) % model.Config.VocabularySize).ToArray()),
        ];
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var batch = decoder.Start([.. prompts.Select(prompt => (ReadOnlyMemory<int>)prompt)], [.. prompts.Select(_ => 1)], 1);
        for (int i = 0; i < prompts.Length; i++)
        {
            var expected = model.Logits(model.Hidden(tensor(prompts[i], ScalarType.Int64).unsqueeze(0)))[0, -1];
            Assert.InRange(Difference(batch.Logits(i), expected), 0, LogitBound);
        }
    }

    [Theory, InlineData(DtypeChoice.Float32), InlineData(DtypeChoice.Bfloat16)]
    public void The_cache_takes_the_bytes_that_it_takes_on_paper(DtypeChoice dtype)
    {
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Dtype = dtype, Threads = 1 });
        using var model = HfCheckpoint.LoadModel(Reference.Golden("models", "qwen2"), runtime, runtime.DtypeFor(0));
        using var decoder = new CpuDecoder(model, threads: 1, KernelWidth.Portable);
        // Keys and values of every layer; a page holds 64 tokens, a prompt whole vectors of 4.
        long token = 2L * model.Config.Layers * model.Config.KeyValueHeads * model.Config.HeadDim * (dtype == DtypeChoice.Float32 ? 4 : 2);
        Assert.Equal(token, decoder.CacheBytesPerToken);
        using (var batch = decoder.Start([Enumerable.Range(1, 19).ToArray()], [3], 70))
        {
            Assert.Equal(20 * token, decoder.CacheBytes);
            for (int step = 0; step < 64; step++) batch.Advance([0, 1, 2], [1, 2, 3]);
            Assert.Equal((20 + 3 * 64) * token, decoder.CacheBytes);
            batch.Advance([1], [4]);
            // The others' pages wait; one of them is taken.
            Assert.Equal((20 + 3 * 64) * token, decoder.CacheBytes);
        }
        Assert.Equal(3 * 64 * token, decoder.CacheBytes);
    }

    [Fact]
    public void Refresh_takes_changed_weights_over()
    {
        using var model = Load("qwen2-tied");
        using var decoder = new CpuDecoder(model, threads: 2);
        int[] prompt = Ids(Integers(GoldenJson("qwen2-tied")["generations"]![0]!["prompt"]));
        using (no_grad())
            foreach (var parameter in model.Parameters.Values) parameter.mul_(0.75);
        decoder.Refresh();
        using var fresh = new CpuDecoder(model, threads: 2);
        Assert.Equal(Trace(fresh, [prompt], [1], 0, [5, 6, 7]), Trace(decoder, [prompt], [1], 0, [5, 6, 7]));

        using var batch = decoder.Start([prompt], [1], 1);
        Assert.Throws<InvalidOperationException>(decoder.Refresh);
        Assert.Throws<InvalidOperationException>(() => decoder.Start([prompt], [1], 1));
    }

    [Theory, MemberData(nameof(Widths))]
    public void Bfloat16_weights_stay_near_the_float32_model(KernelWidth width)
    {
        using var exact = Load("llama-bf16");
        using var rounded = HfCheckpoint.LoadModel(Reference.Golden("models", "llama-bf16"), ModelFixtures.Runtime, ScalarType.BFloat16);
        using var reference = new CpuDecoder(exact, threads: 1, width);
        using var decoder = new CpuDecoder(rounded, threads: 2, width);
        int[] prompt = Ids(Integers(GoldenJson("llama")["generations"]![1]!["prompt"]));
        int[] tokens = [.. Enumerable.Range(0, 70).Select(i => (i * 11 + 3) % exact.Config.VocabularySize)];
        float[][] expected = Trace(reference, [prompt], [3], 1, tokens), actual = Trace(decoder, [prompt], [3], 1, tokens);
        double Worst(float[][] logits) => expected.Zip(logits).Max(pair => pair.First.Zip(pair.Second).Max(logit => Math.Abs((double)logit.First - logit.Second)));
        double worst = Worst(actual);
        double deviation = Math.Sqrt(expected[0].Average(logit => (double)logit * logit));
        output.WriteLine($"worst {worst:E1}, logits' deviation {deviation:F2}");
        if (width == KernelWidth.Auto && NativeProduct.IsSupported)
        {
            // Activations are rounded too, as LibTorch rounds them, which rounds the results as well.
            using var torch = new TorchDecoder(rounded);
            double torchWorst = Worst(Trace(torch, [prompt], [3], 1, tokens));
            output.WriteLine($"LibTorch {torchWorst:E1}");
            Assert.InRange(worst, 1e-6, torchWorst);
            return;
        }
        // The same weights, but keys and values rounded to 8 bits: a relative 2^-9 each, here over few tokens and layers.
        Assert.InRange(worst, 1e-6, 0.05 * deviation);
    }

    [Theory, InlineData("qwen2-sliding"), InlineData("mistral-sliding"), InlineData("qwen3-moe"), InlineData("deepseek-v3")]
    public void Models_of_other_kinds_are_left_to_torch(string name)
    {
        using var model = Load(name);
        Assert.Contains("TorchDecoder", Assert.Throws<R1Exception>(() => new CpuDecoder(model)).Message);
        using var decoder = Decoders.For(model, ModelFixtures.Runtime);
        Assert.IsType<TorchDecoder>(decoder);
    }

    [Theory, InlineData(KernelChoice.Auto, typeof(CpuDecoder)), InlineData(KernelChoice.Portable, typeof(CpuDecoder)), InlineData(KernelChoice.Torch, typeof(TorchDecoder))]
    public void The_decoder_is_the_configured_one(KernelChoice kernels, Type expected)
    {
        using var model = Load("llama");
        using var decoder = Decoders.For(model, TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1, Kernels = kernels }));
        Assert.IsType(expected, decoder);
        using var batch = decoder.Start([new[] { 1, 2, 3 }], [1], 1);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Assert.InRange(Difference(batch.Logits(0), model.Logits(model.Hidden(Row([1, 2, 3])))[0, -1]), 0, LogitBound);
    }

    [Fact]
    public void Misuse_is_named()
    {
        using var model = Load("llama");
        using var decoder = new CpuDecoder(model, threads: 2);
        Assert.Contains("Prompt 1", Assert.Throws<R1Exception>(() => decoder.Start([new[] { 1 }, Array.Empty<int>()], [1, 1], 4)).Message);
        Assert.Contains("vocabulary", Assert.Throws<R1Exception>(() => decoder.Start([new[] { model.Config.VocabularySize }], [1], 4)).Message);
        Assert.Contains("positions", Assert.Throws<R1Exception>(() => decoder.Start([new int[model.Config.MaxPositions + 1]], [1], 4)).Message);
        Assert.Throws<ArgumentException>(() => decoder.Start([new[] { 1 }], [0], 4));
        using var batch = decoder.Start([new[] { 1, 2 }], [2], 1);
        Assert.Throws<ArgumentException>(() => batch.Advance([1, 0], [3, 3]));
        Assert.Throws<ArgumentException>(() => batch.Advance([], []));
        batch.Advance([0, 1], [3, 3]);
        Assert.Throws<InvalidOperationException>(() => batch.Advance([0], [3]));
    }

    /// <summary>Logits of one followed sequence after the prompt and after each token; all others are fed other tokens.</summary>
    private static float[][] Trace(IDecoder decoder, int[][] prompts, int[] copies, int followed, int[] tokens)
    {
        using var batch = decoder.Start([.. prompts.Select(prompt => (ReadOnlyMemory<int>)prompt)], copies, tokens.Length + 1);
        var trace = new List<float[]> { batch.Logits(followed).ToArray() };
        int[] all = [.. Enumerable.Range(0, batch.Count)];
        foreach (int token in tokens)
        {
            batch.Advance(all, [.. all.Select(i => i == followed ? token : (token + 1 + i) % decoder.VocabularySize)]);
            trace.Add(batch.Logits(followed).ToArray());
        }
        return [.. trace];
    }

    private static int[][] Greedy(CpuDecoder decoder, int[][] prompts, int count)
    {
        using var batch = decoder.Start([.. prompts.Select(prompt => (ReadOnlyMemory<int>)prompt)], [.. prompts.Select(_ => 1)], count);
        int[] all = [.. Enumerable.Range(0, prompts.Length)];
        List<int>[] generated = [.. all.Select(_ => new List<int>())];
        while (true)
        {
            foreach (int i in all) generated[i].Add(System.Numerics.Tensors.TensorPrimitives.IndexOfMax(batch.Logits(i)));
            if (generated[0].Count == count) return [.. generated.Select(ids => ids.ToArray())];
            batch.Advance(all, [.. all.Select(i => generated[i][^1])]);
        }
    }

    private static double Difference(ReadOnlySpan<float> actual, Tensor expected)
    {
        float[] numbers = [.. expected.to(ScalarType.Float32).contiguous().data<float>()];
        Assert.Equal(numbers.Length, actual.Length);
        double worst = 0;
        for (int i = 0; i < numbers.Length; i++) worst = Math.Max(worst, Math.Abs((double)actual[i] - numbers[i]));
        return double.IsNaN(worst) ? double.PositiveInfinity : worst;
    }

    /// <summary>The golden sequences without their padding on the right.</summary>
    private static IEnumerable<int[]> Rows(Dictionary<string, Tensor> golden)
    {
        for (int row = 0; row < golden["input_ids"].shape[0]; row++)
        {
            int length = (int)golden["attention_mask"][row].sum().item<long>();
            yield return [.. golden["input_ids"][row].narrow(0, 0, length).contiguous().data<long>().Select(id => (int)id)];
        }
    }

    private static int[] Ids(long[] ids) => [.. ids.Select(id => (int)id)];
}
