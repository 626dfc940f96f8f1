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
        int prompts = Options.Number(args, "--step", 0);
        // Eager mode in float32 takes more than 24 GB for 64 completions, and is slower than in bfloat16 wherever it fits.
        Compare($"GRPO step, {prompts} prompts of 128 tokens x 8 completions of 128", step, prompts * 8 * 256, runs, [own, bfloat16], 5, isAlone: true);
        own.Take(step);
        double[] seconds = own.Take(Contestant.Profiled + step);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  a profiled step of the library: products {seconds[0] / seconds[^1]:P1}, attention {seconds[1] / seconds[^1]:P1}, sampling {seconds[2] / seconds[^1]:P1}"));
        Bar.AtLeast("products, attention and sampling of a step", 100 * seconds[..^1].Sum() / seconds[^1], 90, "%");
    }

    /// <param name="title">Heading.</param>
    /// <param name="step">The step that each takes, once to warm up and then in turn.</param>
    /// <param name="tokens">Tokens of a step.</param>
    /// <param name="runs">How many steps are measured.</param>
    /// <param name="all">The library first.</param>
    /// <param name="atLeast">The aim.</param>
    /// <param name="isAlone">Whether nobody else's memory may be there meanwhile: each turn is a process of its own and warms up again.</param>
    private static void Compare(string title, string step, int tokens, int runs, Contestant[] all, double atLeast, bool isAlone = false)
    {
        foreach (var contestant in isAlone ? [] : all) contestant.Take(step);
        var taken = all.Select(_ => new List<double[]>()).ToArray();
        double[] seconds = Measure.Medians(runs, [.. all.Select((contestant, i) => (Func<double>)(() =>
        {
            if (isAlone) contestant.Take(step);
            taken[i].Add(contestant.Take(step));
            if (isAlone) contestant.Leave();
            return taken[i][^1][0];
        }))]);
        Console.WriteLine($"\n{title}");
        for (int i = 0; i < all.Length; i++)
        {
            double[] parts = [.. Enumerable.Range(1, taken[i][0].Length - 1).Select(part => Measure.Median([.. taken[i].Select(numbers => numbers[part])]))];
            string more = parts.Length == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", of which rollouts {parts[0]:F2} s");
            if (parts.Length > 1) more += string.Create(CultureInfo.InvariantCulture, $" (weights to the sampler {parts[1] * 1e3:F0} ms, {parts[1] / seconds[i]:P1} of the step)");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {all[i].Name,-10} {seconds[i],7:F2} s {tokens / seconds[i],7:F0} tokens/s{more}"));
        }
        Bar.AtLeast("library beside the best of eager mode", seconds.Skip(1).Min() / seconds[0], atLeast, "×");
    }
}
