using System.Globalization;
using DeepSeekR1.Benchmarks.Rollouts;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Benchmarks.Training;

/// <summary>
/// Optimizer steps beside PyTorch's eager mode at SmolLM2-135M's dimensions with random weights, and whole GRPO steps beside TRL's:
/// <c>[--threads N] [--runs N] [--step supervised|policy|PROMPTS]</c>.
/// Both optimizer steps by default; a number is a GRPO step of so many prompts.
/// </summary>
internal static class TrainingBenchmark
{
    public static void Run(string[] args)
    {
        int threads = Options.Threads(args) is > 0 and var given ? given : Environment.ProcessorCount;
        if (Options.Text(args, Contestant.Option) is { } name)
        {
            Contestant.Serve(name, threads);
            return;
        }
        int runs = Options.Number(args, "--runs", 5);
        string? step = Options.Text(args, "--step");
        Console.WriteLine($"SmolLM2-135M, {threads} threads, medians of {runs} runs in turn: a process each for the library in bfloat16 with float32 masters,");
        Console.WriteLine("and for the operators that transformers and TRL call in PyTorch's eager mode, in bfloat16 and float32");
        using var own = new Contestant(Contestant.Own, threads);
        using var bfloat16 = new Contestant(Contestant.EagerBfloat16, threads);
        using var float32 = new Contestant(Contestant.EagerFloat32, threads);
        Contestant[] all = [own, bfloat16, float32];
        if (step is null or "supervised") Compare("optimizer step, 4 x 256 tokens, all in the loss", "supervised", 4 * 256, runs, all, 1.3);
        if (step is null or "policy") Compare("optimizer step, one prompt of 128 tokens x 8 completions of 128", "policy", 8 * 256, runs, all, 1.3);
        if (step is null or "supervised" or "policy") return;
        using var defaults = new Contestant(Contestant.EagerDefaults, threads);
        CompareSteps(Options.Number(args, "--step", 0), runs, own, defaults, bfloat16);
    }

    /// <summary>Each takes a step in turn, after one to warm up.</summary>
    private static void Compare(string title, string step, int tokens, int runs, Contestant[] all, double atLeast)
    {
        foreach (var contestant in all) contestant.Take(step);
        double[] seconds = Measure.Medians(runs, [.. all.Select(contestant => (Func<double>)(() => contestant.Take(step)[0]))]);
        Console.WriteLine($"\n{title}");
        for (int i = 0; i < all.Length; i++) Console.WriteLine(Line(all[i].Name, seconds[i], tokens));
        Bar.AtLeast("library beside the best of eager mode", seconds.Skip(1).Min() / seconds[0], atLeast, "×");
    }

    /// <summary>Whole GRPO steps beside TRL as it comes, and beside the fastest it can be set to. Each takes a step in turn, after two to warm up.</summary>
    private static void CompareSteps(int prompts, int runs, Contestant own, Contestant defaults, Contestant bfloat16)
    {
        string step = prompts.ToString(CultureInfo.InvariantCulture);
        Contestant[] all = [own, defaults, bfloat16];
        foreach (var contestant in all)
        {
            // The small step first: with the second refresh the sampler moves its weights to huge pages, which is no part of later steps.
            contestant.Take("1");
            contestant.Take(step);
        }
        var turns = all.Select(_ => new List<double[]>()).ToArray();
        for (int run = 0; run < runs; run++)
        {
            for (int i = 0; i < all.Length; i++) turns[i].Add(all[i].Take(step));
            Console.WriteLine($"  turn {run + 1}: {string.Join(", ", all.Zip(turns, (contestant, taken) => string.Create(CultureInfo.InvariantCulture, $"{contestant.Name} {taken[^1][0]:F2} s")))}");
        }
        double[][] seconds = [.. turns.Select(Medians)];
        int tokens = prompts * Workload.GroupSize * (Workload.PromptLength + Workload.NewTokens);
        Console.WriteLine($"\nGRPO step, {prompts} prompts of {Workload.PromptLength} tokens x {Workload.GroupSize} completions of {Workload.NewTokens}");
        for (int i = 0; i < all.Length; i++) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Line(all[i].Name, seconds[i][0], tokens)}, of which rollouts {seconds[i][1]:F2} s"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  weights to the library's sampler {seconds[0][2] * 1e3:F0} ms, {seconds[0][2] / seconds[0][0]:P1} of the step"));
        Bar.AtLeast("library beside TRL's defaults (float32 weights, bfloat16 autocast, gradient checkpointing)", seconds[1][0] / seconds[0][0], 5, "×");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"       library beside TRL at its fastest (bfloat16 weights without float32 masters, no gradient checkpointing): {seconds[2][0] / seconds[0][0]:F2} ×"));

        // The first one that is timed by operation allocates in another order, for which the heap has to grow.
        own.Take(Contestant.Profiled + step);
        double[] profile = own.Take(Contestant.Profiled + step);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  a profiled step of the library: products {profile[0] / profile[^1]:P1}, attention {profile[1] / profile[^1]:P1}, sampling {profile[2] / profile[^1]:P1}"));
        Bar.AtLeast("products, attention and sampling of a step", 100 * profile[..^1].Sum() / profile[^1], 90, "%");
    }

    private static double[] Medians(List<double[]> taken) => [.. Enumerable.Range(0, taken[0].Length).Select(i => Measure.Median([.. taken.Select(numbers => numbers[i])]))];

    private static string Line(string name, double seconds, int tokens) => string.Create(CultureInfo.InvariantCulture, $"  {name,-10} {seconds,7:F2} s {tokens / seconds,7:F0} tokens/s");
}
