using DeepSeekR1.Benchmarks.Rollouts;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Benchmarks.Checkpoints;

/// <summary>
/// Loading a model in its own dtype: memory beyond what the process with LibTorch has, and seconds with the file in the page cache.
/// <c>[FOLDER] [--threads N]</c>.
/// </summary>
internal static class LoadBenchmark
{
    private const int Runs = 5;

    public static void Run(string[] args)
    {
        string folder = args.FirstOrDefault(Directory.Exists) ?? Path.Combine("..", "shared", "models", "smollm2-135m-instruct");
        long file = Directory.EnumerateFiles(folder, "*.safetensors").Sum(path => new FileInfo(path).Length);
        if (file == 0) throw new R1Exception($"{folder}: no *.safetensors in the folder.");
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = Options.Threads(args) });
        var dtype = DtypeOf(folder);
        TorchSharp.torch.zeros(1).Dispose();

        GC.Collect();
        ProcessMemory.ForgetPeak();
        long before = ProcessMemory.Resident;
        double first = Load();
        double peak = (double)(ProcessMemory.Peak - before) / file;
        double warm = Measure.Median([.. Enumerable.Range(0, Runs).Select(_ => Load())]);
        Console.WriteLine($"{folder}: {file / 1e6:F0} MB in {dtype}; first load {first:F2} s");
        Bar.AtMost("peak of resident memory beside the file's size", peak, 1.2, "×");
        Bar.AtMost("load with the file in memory", warm, 1, "s");

        double Load() => Measure.Seconds(() => HfCheckpoint.LoadModel(folder, runtime, dtype).Dispose());
    }

    private static TorchSharp.torch.ScalarType DtypeOf(string folder)
    {
        using var weights = SafeTensors.Open(Directory.EnumerateFiles(folder, "*.safetensors").First());
        return weights.Tensors.Values.MaxBy(entry => entry.Elements)!.Dtype;
    }
}
