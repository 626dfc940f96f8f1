using DeepSeekR1.Models;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Rollouts.Cpu;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Benchmarks.Rollouts;

/// <summary>CpuDecoder beside TorchDecoder: sequences of one group after a prompt, and one rollout phase of a GRPO step of the mini model.</summary>
internal static class RolloutBenchmark
{
    private static readonly int[] _allCounts = [1, 8, 16, 32], _quickCounts = [1, 8];

    /// <summary>Tokens that LibTorch's decoder is measured by; it takes several times as long, at the same speed from the first on.</summary>
    private const int MostPlainTokens = 24;

    /// <summary>The command: <c>[--quick] [--threads N] [--model mini|smollm2|qwen2.5] [--llama-bench PATH]</c>.</summary>
    public static void Run(string[] args)
    {
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = Options.Threads(args) });
        var peaks = MachinePeaks.Find(runtime.Threads);
        Console.WriteLine($"{runtime.Threads} threads; {peaks}");
        Run(args, runtime, peaks);
    }

    public static void Run(string[] args, TorchRuntime runtime, MachinePeaks peaks)
    {
        bool isQuick = args.Contains("--quick");
        int runs = isQuick ? 1 : 5;
        string? only = Options.Text(args, "--model");
        int newTokens = isQuick ? 2 : 128;
        using var noGrad = no_grad();
        if (only is null or "mini")
        {
            Compare("mini, float32", Shapes.Mini, ScalarType.Float32, runtime, peaks, runs, promptTokens: 35, newTokens: 42, []);
            CompareStep(runtime, runs);
        }
        if (only is null or "smollm2")
            Compare("SmolLM2-135M, bfloat16", Shapes.SmolLm2, ScalarType.BFloat16, runtime, peaks, runs, promptTokens: 128, newTokens, args);
        if (only == "qwen2.5" || (only is null && !isQuick))
            Compare("Qwen2.5-0.5B, bfloat16", Shapes.Qwen25, ScalarType.BFloat16, runtime, peaks, runs, promptTokens: 128, newTokens: 32, args);
    }

    private static void Compare(
        string name, ModelConfig config, ScalarType dtype, TorchRuntime runtime, MachinePeaks peaks, int runs, int promptTokens, int newTokens, string[] args)
    {
        using var model = CausalLM.Create(config, runtime, new AddressedRandom(1, RandomPurpose.Weights), dtype);
        using var fast = new CpuDecoder(model, runtime.Threads);
        using var plain = new TorchDecoder(model);
        using var llama = LlamaCpp.OfOptions(args, model);
        double refresh = Measure.Medians(runs, () => Measure.Seconds(fast.Refresh))[0];
        Console.WriteLine(
            $"\n{name}: {config.ParameterCount / 1e6:F1} M parameters, repacked in {refresh * 1e3:F1} ms; {promptTokens} prompt + {newTokens} new tokens, one group; " +
            $"tokens/s, medians of {runs}, decoders in turn");
        Console.WriteLine($"sequences   CpuDecoder   TorchDecoder   ratio   of limit   prompt: CpuDecoder   TorchDecoder{(llama is null ? "" : "   llama.cpp   ratio")}");
        foreach (int count in runs == 1 ? _quickCounts : _allCounts)
        {
            int plainTokens = Math.Min(newTokens, MostPlainTokens);
            Decode(fast, 1, promptTokens, count, 2);
            double[] speeds = Measure.Medians(
                runs,
                () => Decode(fast, 1, promptTokens, count, newTokens).Speed,
                () => Decode(plain, 1, promptTokens, count, plainTokens).Speed,
                () => llama?.Measure(runtime.Threads, promptTokens, newTokens, [count])[count] ?? 0);
            double[] prompt = Measure.Medians(runs, () => Decode(fast, 1, promptTokens, 1, 1).PromptSpeed, () => Decode(plain, 1, promptTokens, 1, 1).PromptSpeed);
            string other = llama is null ? "" : $" {speeds[2],11:F0} {speeds[0] / speeds[2],7:F2}";
            Console.WriteLine(
                $"{count,9} {speeds[0],12:F0} {speeds[1],14:F0} {speeds[0] / speeds[1],7:F2} {speeds[0] / Limit(config, dtype, peaks, count),10:P0}" +
                $" {prompt[0],20:F0} {prompt[1],14:F0}{other}");
        }
    }

    private static void CompareStep(TorchRuntime runtime, int runs)
    {
        using var model = CausalLM.Create(Shapes.Mini, runtime, new AddressedRandom(1, RandomPurpose.Weights), ScalarType.Float32);
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
        double flops = 2.0 * config.ParameterCount, bytes = (dtype == ScalarType.BFloat16 ? 2.0 : 4.0) * config.ParameterCount;
        return Math.Min(peaks.Flops / flops, sequences * peaks.BytesPerSecond / bytes);
    }

    /// <summary>Tokens a second of reading the prompts, and of appending so many tokens to each of the sequences.</summary>
    private static (double PromptSpeed, double Speed) Decode(IDecoder decoder, int prompts, int promptTokens, int copies, int newTokens)
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
        return (prompts * promptTokens / reading, open.Count * newTokens / decoding);
    }
}
