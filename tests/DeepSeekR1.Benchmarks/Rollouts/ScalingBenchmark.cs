using DeepSeekR1.Models;
using DeepSeekR1.Rollouts.Cpu;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Benchmarks.Rollouts;

/// <summary>Whether cost grows as the work, at SmolLM2's dimensions: <c>[--threads N]</c>.</summary>
internal static class ScalingBenchmark
{
    private const int Prompt = 128, Sequences = 8, Longest = 2048, Window = 256, Runs = 5;

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
    /// Time of a step at several lengths. Attention reads all tokens; what is left when its time is taken away must be flat. Of the steps at a
    /// length the fastest counts: others use the machine, too.
    /// </summary>
    private static void ByLength(CpuDecoder decoder)
    {
        int[] all = [.. Enumerable.Range(0, Sequences)], tokens = new int[Sequences];
        (double Whole, double Attention)[] steps = [.. Enumerable.Repeat((double.PositiveInfinity, 0.0), Longest)];
        for (int run = 0; run < Runs; run++)
        {
            using var batch = decoder.Start([Ids()], [Sequences], Longest);
            for (int i = 0; i < Longest; i++)
            {
                using var operations = OperationClock.Read();
                double whole = Measure.Seconds(() => batch.Advance(all, tokens));
                if (whole < steps[i].Whole) steps[i] = (whole, operations.Seconds()["attention"]);
            }
        }

        Console.WriteLine($"{Sequences} sequences of one prompt of {Prompt} tokens, SmolLM2-135M in bfloat16");
        Console.WriteLine("generated   ms a step   attention   tokens/s   without attention");
        var fastest = steps.Chunk(Window).Select(window => window.Min()).ToArray();
        double[] rest = [.. fastest.Select(step => step.Whole - step.Attention)];
        for (int i = 0; i < rest.Length; i++)
            Console.WriteLine($"{(i + 0.5) * Window,9} {fastest[i].Whole * 1e3,11:F2} {fastest[i].Attention * 1e3,11:F2} {Sequences / fastest[i].Whole,10:F0} {Sequences / rest[i],10:F0}");
        Bar.AtMost("farthest from their mean, attention taken away", 100 * rest.Max(time => Math.Abs(time / rest.Average() - 1)), 10, "%");

        using var last = decoder.Start([Ids()], [1], 1);
        double paper = decoder.CacheBytesPerToken * (Prompt + (double)Sequences * Longest);
        Console.WriteLine($"key/value cache: {decoder.CacheBytesPerToken:N0} bytes a token; {paper / 1e6:F1} MB on paper, {decoder.CacheBytes / 1e6:F1} MB held");
        Bar.AtMost("the cache beside that on paper", decoder.CacheBytes / paper, 1.01, "x");
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
