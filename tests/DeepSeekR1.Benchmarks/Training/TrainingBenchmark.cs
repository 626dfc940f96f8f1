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
        CompareSteps(Options.Number(args, "--step", 0), runs, own, bfloat16);
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

    /// <summary>
    /// Whole GRPO steps. Eager mode needs most of the machine's memory, so that each turn is a process of its own, which warms up; in float32 it
    /// takes more than 24 GB for 64 completions, and is slower than in bfloat16 wherever it fits.
    /// </summary>
    private static void CompareSteps(int prompts, int runs, Contestant own, Contestant eager)
    {
        string step = prompts.ToString(CultureInfo.InvariantCulture);
        var (ownTurns, eagerTurns) = (new List<double[]>(), new List<double[]>());
        for (int run = 0; run < runs; run++)
        {
            ownTurns.Add(Turn(own));
            eagerTurns.Add(Turn(eager));
        }
        double[] ours = Medians(ownTurns), theirs = Medians(eagerTurns);
        int tokens = prompts * Workload.GroupSize * (Workload.PromptLength + Workload.NewTokens);
        Console.WriteLine($"\nGRPO step, {prompts} prompts of {Workload.PromptLength} tokens x {Workload.GroupSize} completions of {Workload.NewTokens}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Line(own.Name, ours[0], tokens)}, of which rollouts {ours[1]:F2} s (weights to the sampler {ours[2] * 1e3:F0} ms, {ours[2] / ours[0]:P1} of the step)"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Line(eager.Name, theirs[0], tokens)}, of which rollouts {theirs[1]:F2} s; an update without gradient checkpointing {theirs[2]:F2} s"));
        Bar.AtLeast("library beside TRL's defaults", theirs[0] / ours[0], 5, "×");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"       library beside TRL without gradient checkpointing: {(theirs[1] + theirs[2]) / ours[0]:F2} ×"));

        Warm(own);
        double[] seconds = own.Take(Contestant.Profiled + step);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  a profiled step of the library: products {seconds[0] / seconds[^1]:P1}, attention {seconds[1] / seconds[^1]:P1}, sampling {seconds[2] / seconds[^1]:P1}"));
        Bar.AtLeast("products, attention and sampling of a step", 100 * seconds[..^1].Sum() / seconds[^1], 90, "%");

        double[] Turn(Contestant contestant)
        {
            Warm(contestant);
            double[] taken = contestant.Take(step);
            contestant.Leave();
            return taken;
        }

        // The small step first: with the second refresh the sampler moves its weights to huge pages, which is no part of later steps.
        void Warm(Contestant contestant)
        {
            contestant.Take("1");
            contestant.Take(step);
        }
    }

    private static double[] Medians(List<double[]> taken) => [.. Enumerable.Range(0, taken[0].Length).Select(i => Measure.Median([.. taken.Select(numbers => numbers[i])]))];

    private static string Line(string name, double seconds, int tokens) => string.Create(CultureInfo.InvariantCulture, $"  {name,-10} {seconds,7:F2} s {tokens / seconds,7:F0} tokens/s");
}
