using System.Diagnostics;
using System.Globalization;
using DeepSeekR1.Configuration;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using DeepSeekR1.Telemetry;
using DeepSeekR1.Testing;

namespace DeepSeekR1.Benchmarks.Survival;

/// <summary>
/// Kills a run of every stage again and again, at random moments and while it saves, and compares what it leaves with a run that was left
/// alone: <c>kill [--kills 50] [--seed 1] [--work DIR]</c>. The run is a process of its own, this program with <c>--child</c>.
/// </summary>
internal static class KillBenchmark
{
    /// <summary>A base model made in the run, so that pretraining is among the stages; a checkpoint after every step.</summary>
    private static readonly string[] _settings =
        [.. SmallRecipe.Settings, "model.path=null", "model.forcedStart=null", "checkpoints.every=1", "evaluation.samples=1", "evaluation.consensusSamples=0"];

    public static async Task RunAsync(string[] args)
    {
        if (Options.Text(args, "--child") is { } output)
        {
            await TrainingRun.RunAsync(new TrainRequest { Stage = TrainStage.All, Overrides = _settings, Output = output, Resume = true }, SilentObserver.Instance);
            return;
        }
        int kills = int.Parse(Options.Text(args, "--kills") ?? "50", CultureInfo.InvariantCulture);
        var random = new AddressedRandom(ulong.Parse(Options.Text(args, "--seed") ?? "1", CultureInfo.InvariantCulture), RandomPurpose.Verification).Stream();
        var work = Directory.CreateDirectory(Options.Text(args, "--work") ?? Path.Combine(Path.GetTempPath(), "r1-kill"));
        string whole = Path.Combine(work.FullName, "whole");
        Finish(whole);
        string[] order = [.. new DirectoryInfo(Path.Combine(whole, "checkpoints")).GetDirectories().Where(stage => Directory.Exists(Path.Combine(stage.FullName, "model"))).OrderBy(stage => stage.CreationTimeUtc).Select(stage => stage.Name)];

        int done = 0, saving = 0, rounds = 0;
        var stages = new Dictionary<string, int>();
        while (done < kills)
        {
            // Each run is killed once in every stage, finished and compared.
            string parted = Path.Combine(work.FullName, $"parted-{++rounds}");
            foreach (string stage in order.Take(kills - done))
            {
                if (!Kill(parted, stage, TimeSpan.FromMilliseconds(random.Between(0, 300)), whileSaving: done % 3 == 2)) continue;
                done++;
                stages[stage] = stages.GetValueOrDefault(stage) + 1;
                if (Directory.GetDirectories(parted, "*.part", SearchOption.AllDirectories).Length > 0) saving++;
            }
            Finish(parted);
            Compare(whole, parted);
        }
        Console.WriteLine($"{done} kills in {rounds} runs, {saving} of them during a save; by stage: {string.Join(", ", stages.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value}"))}");
        work.Delete(recursive: true);
    }

    /// <summary>Goes on with the run and kills it some time after a stage has begun, or at its next save; false where the run ended before.</summary>
    private static bool Kill(string output, string stage, TimeSpan after, bool whileSaving)
    {
        string folder = Path.Combine(output, "checkpoints", stage);
        using var process = Start(output);
        WaitUntil(process, () => Directory.Exists(folder));
        process.WaitForExit(after);
        if (whileSaving) WaitUntil(process, () => Directory.EnumerateDirectories(folder, "*.part").Any());
        if (process.HasExited) return false;
        process.Kill();
        process.WaitForExit();
        return true;
    }

    private static void WaitUntil(Process process, Func<bool> condition)
    {
        var wait = new SpinWait();
        while (!process.HasExited && !condition()) wait.SpinOnce(sleep1Threshold: -1);
    }

    private static void Finish(string output)
    {
        using var process = Start(output);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new R1Exception($"The run in {output} ended with exit code {process.ExitCode}.");
    }

    private static Process Start(string output) => Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["kill", "--child", output]))!;

    private static void Compare(string whole, string parted)
    {
        string[] files = ["metrics.jsonl", "completions.jsonl", .. Directory.GetDirectories(Path.Combine(whole, "checkpoints")).Select(stage => Path.Combine("checkpoints", Path.GetFileName(stage), "model", "model.safetensors"))
            .Where(file => File.Exists(Path.Combine(whole, file)))];
        int different = files.Count(file => !File.ReadAllBytes(Path.Combine(whole, file)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(parted, file))));
        Bar.AtMost($"files of {files.Length} that differ from the run left alone, {Path.GetFileName(parted)}", different, 0, "files");
    }
}
