using DeepSeekR1.Benchmarks.Rollouts;
using DeepSeekR1.Benchmarks.Training;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Benchmarks;

/// <summary>
/// Everything in one run beside what the machine can do: <c>[--quick] [--threads N] [--llama-bench PATH]</c>. Quick is for
/// finding errors: one run of each, few sequences, no large model, no training.
/// </summary>
internal static class CompareBenchmark
{
    public static void Run(string[] args)
    {
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = Options.Threads(args) });
        var peaks = MachinePeaks.Find(runtime.Threads);
        Console.WriteLine($"{runtime.Threads} threads; {peaks}");
        bool isQuick = args.Contains("--quick");
        if (!isQuick) ProductBenchmark.Run(runtime.Threads);
        RolloutBenchmark.Run(args, runtime, peaks);
        if (isQuick) return;
        Console.WriteLine();
        TrainingBenchmark.Run(args);
    }
}
