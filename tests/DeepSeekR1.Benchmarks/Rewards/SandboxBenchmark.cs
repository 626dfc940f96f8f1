using System.Diagnostics;
using System.Text.Json;
using DeepSeekR1.Rewards;

namespace DeepSeekR1.Benchmarks.Rewards;

/// <summary>What the sandbox costs: a verdict on a trivial program (two boxes), beside the bare start of two interpreters; two slots. The bar is 30 ms a box.</summary>
internal static class SandboxBenchmark
{
    private const int Runs = 100, Slots = 2;

    public static async Task RunAsync(string[] args)
    {
        var reward = new CodeReward(sandbox: new Sandbox(Slots));
        var prompt = new Prompt
        {
            Id = "one",
            Text = "Write f.",
            Fields = new Dictionary<string, JsonElement> { ["test_list"] = JsonSerializer.SerializeToElement(new[] { "assert f(1) == 2" }) },
        };
        var completion = new Completion { Text = "```python\ndef f(x): return x + 1\n```" };
        if ((await reward.ScoreAsync(prompt, completion)).Value != 1) throw new R1Exception("the sandbox does not judge a right program right");

        double bare = await MedianAsync(async () =>
        {
            using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-I", "-S", "-c", "1"]))!;
            await process.WaitForExitAsync();
        });
        double boxed = await MedianAsync(async () => await reward.ScoreAsync(prompt, completion));
        Console.WriteLine($"bare interpreter {bare:F1} ms; verdict with two boxes {boxed:F1} ms (median of {Runs}, {Slots} at a time)");
        Bar.AtMost("overhead of a box", (boxed - 2 * bare) / 2, 30, "ms");
    }

    private static async Task<double> MedianAsync(Func<Task> run)
    {
        using var slots = new SemaphoreSlim(Slots);
        double[] times = await Task.WhenAll(Enumerable.Range(0, Runs).Select(async _ =>
        {
            await slots.WaitAsync();
            long start = Stopwatch.GetTimestamp();
            await run();
            double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            slots.Release();
            return milliseconds;
        }));
        return times.Order().ElementAt(Runs / 2);
    }
}
