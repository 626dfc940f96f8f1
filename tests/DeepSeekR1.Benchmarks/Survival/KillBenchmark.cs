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
        long start = Stopwatch.GetTimestamp();
        Finish(whole);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

        int done = 0, saving = 0, rounds = 0;
        var stages = new Dictionary<string, int>();
        while (done < kills)
        {
            // So many kills are spread over several runs, each of which is finished and compared.
            string parted = Path.Combine(work.FullName, $"parted-{++rounds}");
            int ofRound = Math.Min(kills - done, 12);
            for (int kill = 0; kill < ofRound; kill++)
            {
                string? stage = Kill(parted, TimeSpan.FromSeconds(seconds * random.Uniform() * 2 / ofRound), whileSaving: kill % 3 == 2);
                if (stage is null) break;
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

    /// <summary>Goes on with the run and kills it; the newest stage then, or null where the run was done before.</summary>
    private static string? Kill(string output, TimeSpan after, bool whileSaving)
    {
        string checkpoints = Path.Combine(output, "checkpoints");
        using var process = Start(output);
        bool hasEnded = process.WaitForExit(after + TimeSpan.FromSeconds(0.5));
        var wait = new SpinWait();
        while (whileSaving && !process.HasExited && !(Directory.Exists(checkpoints) && Directory.EnumerateDirectories(checkpoints, "*.part", SearchOption.AllDirectories).Any())) wait.SpinOnce(sleep1Threshold: -1);
        if (hasEnded || process.HasExited) return null;
        process.Kill();
        process.WaitForExit();
        return Directory.Exists(checkpoints) ? new DirectoryInfo(checkpoints).GetDirectories().MaxBy(stage => stage.CreationTimeUtc)?.Name ?? "start" : "start";
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
