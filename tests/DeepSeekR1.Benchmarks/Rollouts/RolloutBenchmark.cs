using DeepSeekR1.Models;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Rollouts.Cpu;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Benchmarks.Rollouts;

/// <summary>CpuDecoder beside TorchDecoder: sequences of one group after a prompt, and one rollout phase of a GRPO step of the mini model.</summary>
internal static class RolloutBenchmark
{
    private static readonly int[] SequenceCounts = [1, 8, 16, 32];

    public static void Run(string[] args)
    {
        bool isQuick = args.Contains("--quick");
        int runs = isQuick ? 1 : 5;
        string? only = args.SkipWhile(arg => arg != "--model").Skip(1).FirstOrDefault();
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu });
        using var noGrad = no_grad();
        var peaks = MachinePeaks.Find(runtime.Threads);
        Console.WriteLine($"{runtime.Threads} threads; {peaks}; medians of {runs}, decoders in turn");
        if (only is null or "mini") Compare("mini, float32", Mini, ScalarType.Float32, runtime, peaks, runs, promptTokens: 35, newTokens: 42);
        if (only is null or "mini") CompareStep(runtime, runs);
        if (only is null or "smollm2") Compare("SmolLM2-135M, bfloat16", SmolLm2, ScalarType.BFloat16, runtime, peaks, runs, promptTokens: 128, newTokens: isQuick ? 4 : 24);
    }

    private static ModelConfig Mini { get; } = new()
    {
        VocabularySize = 318, HiddenSize = 64, IntermediateSize = 176, Layers = 3, Heads = 4, MaxPositions = 512, TieWordEmbeddings = true,
    };

    private static ModelConfig SmolLm2 { get; } = new()
    {
        VocabularySize = 49_152, HiddenSize = 576, IntermediateSize = 1536, Layers = 30, Heads = 9, KeyValueHeads = 3, MaxPositions = 2048, TieWordEmbeddings = true,
    };

    private static void Compare(string name, ModelConfig config, ScalarType dtype, TorchRuntime runtime, MachinePeaks peaks, int runs, int promptTokens, int newTokens)
    {
        using var model = CausalLM.Create(config, runtime, new AddressedRandom(1, RandomPurpose.Weights), dtype);
        using var fast = new CpuDecoder(model, runtime.Threads);
        using var plain = new TorchDecoder(model);
        double refresh = Measure.Medians(runs, () => Measure.Seconds(fast.Refresh))[0];
        Console.WriteLine($"\n{name}: {config.ParameterCount / 1e6:F1} M parameters, packed in {refresh * 1e3:F1} ms; {promptTokens} prompt + {newTokens} new tokens, one group");
        Console.WriteLine("sequences   CpuDecoder   TorchDecoder   ratio   of limit   prompt: CpuDecoder   TorchDecoder");
        foreach (int count in SequenceCounts)
        {
            (double Prompt, double Decode) fastTimes = default, plainTimes = default;
            Decode(fast, 1, promptTokens, count, 2);
            double[] seconds = Measure.Medians(
                runs,
                () => (fastTimes = Decode(fast, 1, promptTokens, count, newTokens)).Decode,
                () => (plainTimes = Decode(plain, 1, promptTokens, count, newTokens)).Decode);
            double tokens = (double)count * newTokens, limit = Limit(config, dtype, peaks, count);
            Console.WriteLine(
                $"{count,9} {tokens / seconds[0],12:F0} {tokens / seconds[1],14:F0} {seconds[1] / seconds[0],7:F2} {tokens / seconds[0] / limit,10:P0}" +
                $" {promptTokens / fastTimes.Prompt,20:F0} {promptTokens / plainTimes.Prompt,14:F0}");
        }
    }

    private static void CompareStep(TorchRuntime runtime, int runs)
    {
        using var model = CausalLM.Create(Mini, runtime, new AddressedRandom(1, RandomPurpose.Weights), ScalarType.Float32);
        using var fast = new CpuDecoder(model, runtime.Threads);
        using var plain = new TorchDecoder(model);
        Decode(fast, 16, 35, 16, 2);
        double[] seconds = Measure.Medians(
            runs, () => Measure.Seconds(() => Decode(fast, 16, 35, 16, 42)), () => Measure.Seconds(() => Decode(plain, 16, 35, 16, 42)));
        Console.WriteLine($"16 prompts of 35 x 16 samples x 42 tokens: CpuDecoder {seconds[0] * 1e3:F0} ms, TorchDecoder {seconds[1] * 1e3:F0} ms");
    }

    /// <summary>Tokens a second at which either all products run at the machine's peak, or all weights are read once a step.</summary>
    private static double Limit(ModelConfig config, ScalarType dtype, MachinePeaks peaks, int sequences)
    {
        bool isBfloat16 = dtype == ScalarType.BFloat16;
        double flops = 2.0 * config.ParameterCount, bytes = (isBfloat16 ? 2.0 : 4.0) * config.ParameterCount;
        return Math.Min((isBfloat16 ? peaks.Bfloat16Flops : peaks.Float32Flops) / flops, sequences * peaks.BytesPerSecond / bytes);
    }

    /// <summary>Seconds to read the prompts, and to append so many tokens to each of the sequences.</summary>
    private static (double Prompt, double Decode) Decode(IDecoder decoder, int prompts, int promptTokens, int copies, int newTokens)
    {
        ReadOnlyMemory<int>[] ids =
        [
            .. Enumerable.Range(0, prompts).Select(prompt =>
                (ReadOnlyMemory<int>)Enumerable.Range(0, promptTokens).Select(i => (i * 31 + prompt * 7 + 3) % decoder.VocabularySize).ToArray()),
        ];
        IDecodeBatch? batch = null;
        double reading = Measure.Seconds(() => batch = decoder.Start(ids, [.. ids.Select(_ => copies)], newTokens + 1));
        using var open = batch!;
        int[] all = [.. Enumerable.Range(0, open.Count)], tokens = new int[open.Count];
        double decoding = Measure.Seconds(() =>
        {
            for (int step = 0; step < newTokens; step++)
            {
                for (int i = 0; i < tokens.Length; i++) tokens[i] = (step * 17 + i * 5 + 1) % decoder.VocabularySize;
                open.Advance(all, tokens);
            }
        });
        return (reading, decoding);
    }
}
