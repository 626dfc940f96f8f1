using DeepSeekR1.Models;
using DeepSeekR1.Rollouts.Cpu;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Benchmarks.Rollouts;

/// <summary>Whether cost grows as the work, at SmolLM2's dimensions: <c>[--threads N]</c>.</summary>
internal static class ScalingBenchmark
{
    private const int Prompt = 128, Sequences = 8, Longest = 2048, Window = 64, Runs = 5;

    /// <summary>Where the time of a window of tokens is taken: tokens that each sequence has generated before it.</summary>
    private static readonly int[] _places = [0, 192, 448, 960, 1984];

    public static void Run(string[] args)
    {
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = Options.Threads(args) });
        using var noGrad = no_grad();
        using var model = CausalLM.Create(Shapes.SmolLm2, runtime, new AddressedRandom(1, RandomPurpose.Weights), ScalarType.BFloat16);
        using var decoder = new CpuDecoder(model, runtime.Threads);
        decoder.Refresh();
        ByLength(decoder);
        LongTail(decoder);
    }

    /// <summary>
    /// Milliseconds a step at several lengths. Attention reads all tokens, so its time is a line through them; what is left when that line is
    /// taken away must be flat.
    /// </summary>
    private static void ByLength(CpuDecoder decoder)
    {
        var seconds = _places.Select(_ => new List<double>()).ToArray();
        long bytes = 0;
        for (int run = 0; run < Runs; run++)
        {
            long before = ProcessMemory.Resident;
            using var batch = decoder.Start([Ids()], [Sequences], Longest);
            int[] all = [.. Enumerable.Range(0, Sequences)], tokens = new int[Sequences];
            for (int window = 0, done = 0; done < Longest; done += Window)
            {
                double time = Measure.Seconds(() =>
                {
                    for (int step = 0; step < Window; step++) batch.Advance(all, tokens);
                });
                if (window < _places.Length && done == _places[window]) seconds[window++].Add(time / Window);
            }
            // Only the first run takes new memory: pages return to a pool.
            bytes = Math.Max(bytes, ProcessMemory.Resident - before);
        }
        double[] steps = [.. seconds.Select(Measure.Median)];
        double slope = (steps[^1] - steps[0]) / (_places[^1] - _places[0]);
        Console.WriteLine($"{Sequences} sequences of one prompt of {Prompt} tokens, SmolLM2-135M in bfloat16; medians of {Runs}; attention grows by {slope * 1e6:F2} microseconds a token of each sequence");
        Console.WriteLine("generated before   ms a step   tokens/s   without attention's growth");
        double[] rest = [.. steps.Select((step, i) => step - slope * _places[i])];
        for (int i = 0; i < steps.Length; i++)
            Console.WriteLine($"{_places[i],16} {steps[i] * 1e3,11:F2} {Sequences / steps[i],10:F0} {Sequences / rest[i],10:F0}");
        Bar.AtMost("slowest beside fastest, attention's growth taken away", rest.Max() / rest.Min(), 1.2, "x (±10 %)");

        double paper = decoder.CacheBytesPerToken * (Prompt + (double)Sequences * Longest);
        Console.WriteLine($"key/value cache: {decoder.CacheBytesPerToken:N0} bytes a token; {paper / 1e6:F1} MB on paper, {bytes / 1e6:F1} MB more resident");
        Bar.AtMost("resident memory beside the cache on paper", bytes / paper, 1.1, "x");
    }

    /// <summary>A batch of which one sequence goes on alone costs what its tokens cost.</summary>
    private static void LongTail(CpuDecoder decoder)
    {
        const int Short = 32, Long = 256;
        double[] seconds = Measure.Medians(
            Runs,
            () => Decode(decoder, Sequences, Short, Sequences, Short),
            () => Decode(decoder, 1, Long, 1, Long),
            () => Decode(decoder, 1, Short, 1, Short),
            () => Decode(decoder, Sequences, Short, 1, Long));
        double expected = seconds[0] + seconds[1] - seconds[2];
        Console.WriteLine($"{Sequences} sequences of {Short} tokens, one of them of {Long}: {seconds[3] * 1e3:F0} ms; {expected * 1e3:F0} ms from its parts");
        Bar.AtMost("a long tail beside the sum of its parts", seconds[3] / expected, 1.1, "x");
    }

    /// <summary>Seconds for so many sequences up to a length, and so many of them further to another.</summary>
    private static double Decode(CpuDecoder decoder, int sequences, int length, int further, int longer)
    {
        using var batch = decoder.Start([Ids()], [sequences], longer);
        return Measure.Seconds(() =>
        {
            for (int step = 0; step < longer; step++)
            {
                int count = step < length ? sequences : further;
                batch.Advance([.. Enumerable.Range(0, count)], new int[count]);
            }
        });
    }

    private static int[] Ids() => [.. Enumerable.Range(0, Prompt).Select(i => (i * 31 + 3) % Shapes.SmolLm2.VocabularySize)];
}
