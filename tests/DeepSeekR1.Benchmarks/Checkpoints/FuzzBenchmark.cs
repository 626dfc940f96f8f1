using DeepSeekR1.Checkpoints;
using DeepSeekR1.Runtime;
using DeepSeekR1.Tests.Checkpoints;

namespace DeepSeekR1.Benchmarks.Checkpoints;

/// <summary>
/// Damaged headers of SafeTensors files: each is read or refused, never a crash, and never more memory than the file and 16 MiB.
/// <c>[FILE] [--mutations N]</c>.
/// </summary>
internal static class FuzzBenchmark
{
    private const long Allowance = 16 << 20;

    public static void Run(string[] args)
    {
        string source = args.FirstOrDefault(File.Exists) ?? Path.Combine("..", "shared", "golden", "models", "broken", "intact", "model.safetensors");
        int mutations = Options.Text(args, "--mutations") is { } text ? int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : 20_000;
        byte[] intact = File.ReadAllBytes(source);
        var folder = Directory.CreateTempSubdirectory("r1-fuzz-");
        try
        {
            string path = Path.Combine(folder.FullName, "mutated.safetensors");
            long most = 0;
            int refused = 0;
            Attempt(path, intact);
            GC.Collect();
            ProcessMemory.ForgetPeak();
            long resident = ProcessMemory.Resident;
            for (int mutation = 0; mutation < mutations; mutation++)
            {
                byte[] mutated = HeaderMutation.Apply(intact, new AddressedRandom(2, RandomPurpose.Verification).Stream(step: mutation));
                long before = GC.GetAllocatedBytesForCurrentThread();
                if (!Attempt(path, mutated)) refused++;
                most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - before - mutated.Length);
                if (mutation % 1000 == 999) Console.Error.Write($"\r{mutation + 1:N0} of {mutations:N0}");
            }
            Console.Error.WriteLine();
            Console.WriteLine($"{mutations:N0} mutations of {source}: {refused:N0} refused, the others read; resident memory grew by {(ProcessMemory.Peak - resident) / 1048576.0:F0} MiB at most, the collector's heap included");
            Bar.AtMost("managed memory beyond the file's size, the most of one", most / 1048576.0, Allowance / 1048576.0, "MiB");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>True where it was read.</summary>
    private static bool Attempt(string path, byte[] file)
    {
        File.WriteAllBytes(path, file);
        try
        {
            foreach (var tensor in SafeTensors.Load(path).Values) tensor.Dispose();
            return true;
        }
        catch (R1Exception)
        {
            return false;
        }
    }
}
