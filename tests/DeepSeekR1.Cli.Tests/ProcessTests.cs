using System.Diagnostics;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Cli.Tests;

/// <summary>Runs that are killed, interrupted, or find no room, as their user sees them.</summary>
public sealed class ProcessTests : IDisposable
{
    private static readonly string[] _manySteps = ["zero.grpo.steps=100000", "zero.grpo.toleratedStepsWithoutSignal=0"];

    /// <summary>Every stage, each with saves; from a base model made in the run, so that pretraining is one of them.</summary>
    private static readonly string[] _everyStage = ["model.path=null", "checkpoints.every=1", "evaluation.samples=1", "evaluation.consensusSamples=0", "reasoningRl.evaluateEvery=2", "model.forcedStart=null"];

    private static readonly string[] _stages =
        ["pretrain", "zero", "cold-start", "reasoning-rl", "reasoning-rl-no-language", "rejection-sft", "reward-model-helpful", "reward-model-safety", "all-scenario-rl", "distill", "student-rl"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-process-");

    private string Whole => Path.Combine(_folder.FullName, "whole");

    private string Parted => Path.Combine(_folder.FullName, "parted");

    // Slow: some fifteen starts of the program.
    [Fact, Trait("Category", "Slow")]
    public async Task A_run_killed_in_every_stage_and_while_it_saves_goes_on_and_leaves_the_same_bytes()
    {
        Assert.Equal((0, ""), await R1Process.Start(R1Process.Train("all", _everyStage, "--output", Whole)).FinishAsync());

        var random = new AddressedRandom(11, RandomPurpose.Verification).Stream();
        int kills = 0, saves = 0;
        foreach (string stage in _stages)
        {
            using var process = R1Process.Start(R1Process.Train("all", _everyStage, "--output", Parted, "--resume"));
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            bool whileSaving = kills % 2 == 0;
            string folder = Path.Combine(Parted, "checkpoints", stage);
            var wait = new SpinWait();
            while (!process.HasExited && !(whileSaving ? IsSaving(folder) : Directory.Exists(folder))) wait.SpinOnce(sleep1Threshold: -1);
            if (!whileSaving) process.WaitForExit(TimeSpan.FromMilliseconds(random.Between(0, 150)));
            if (process.HasExited) continue;
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            kills++;
            if (IsSaving(folder)) saves++;
        }
        Assert.InRange(kills, 10, _stages.Length);
        Assert.InRange(saves, 1, kills);
        Assert.Equal((0, ""), await R1Process.Start(R1Process.Train("all", _everyStage, "--output", Parted, "--resume")).FinishAsync());
        AssertSame([.. _stages.Select(stage => $"checkpoints/{stage}/model/model.safetensors")]);
        Assert.Empty(Directory.GetDirectories(Parted, "*.part", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Ctrl_C_saves_and_exits_with_130()
    {
        SkipWithoutSignals();
        using var process = R1Process.Start(R1Process.Train("zero", _manySteps, "--output", Parted));
        await process.StandardOutput.ReadUntilAsync("/100000  ");
        process.PressCtrlC();
        Assert.Equal((130, "stopping after this step and saving; Ctrl+C again exits at once.\n"), await process.FinishAsync());
        Assert.NotEmpty(Checkpoints());
    }

    [Fact]
    public async Task Ctrl_C_twice_exits_at_once_and_the_run_goes_on_later()
    {
        SkipWithoutSignals();
        using var process = R1Process.Start(R1Process.Train("zero", [.. _manySteps, "zero.grpo.promptsPerStep=400"], "--output", Parted));
        await process.StandardOutput.ReadUntilAsync("zero: ");
        process.PressCtrlC();
        await process.StandardError.ReadUntilAsync("stopping after this step");
        process.PressCtrlC();
        Assert.Equal((130, ""), await process.FinishAsync());
        Assert.Empty(Checkpoints());

        using var resumed = R1Process.Start(R1Process.Train("zero", [.. _manySteps, "zero.grpo.promptsPerStep=400"], "--output", Parted, "--resume"));
        await resumed.StandardOutput.ReadUntilAsync("zero: ");
        resumed.Kill();
    }

    [Fact]
    public async Task A_second_run_on_the_same_folder_is_refused_and_the_first_is_not_disturbed()
    {
        SkipWithoutSignals();
        using var first = R1Process.Start(R1Process.Train("zero", _manySteps, "--output", Parted));
        await first.StandardOutput.ReadUntilAsync("/100000  ");
        foreach (string[] mode in new string[][] { [], ["--resume"] })
            Assert.Equal((1, $"error: output folder '{Parted}' is in use by another run; wait for it or choose another --output.\n"),
                await R1Process.Start(R1Process.Train("zero", _manySteps, ["--output", Parted, .. mode])).FinishAsync());
        first.PressCtrlC();
        Assert.Equal(130, (await first.FinishAsync()).ExitCode);
    }

    [Fact]
    public async Task A_full_disk_ends_the_run_with_a_hint_and_with_room_it_goes_on_to_the_same_bytes()
    {
        SkipWithoutBubblewrap();
        string[] settings = ["checkpoints.every=1"];
        Assert.Equal((0, ""), await R1Process.Start(R1Process.Train("zero", settings, "--output", Whole)).FinishAsync());

        // A disk of 16 MB of which another file takes so much that the second checkpoint finds no room.
        string disk = Directory.CreateDirectory(Path.Combine(_folder.FullName, "disk")).FullName, run = Path.Combine(disk, "run");
        const string Script = """
            disk=$1; copy=$2; shift 2
            head -c 11500000 /dev/zero > "$disk/other"
            "$@"; echo "exit $?" >&2
            rm "$disk/other"
            "$@" --resume; echo "exit $?" >&2
            cp -r "$disk/run" "$copy"
            """;
        var (exitCode, error) = await R1Process.Start("bwrap",
            ["--dev-bind", "/", "/", "--size", "16000000", "--tmpfs", disk, "sh", "-c", Script, "sh", disk, Parted, R1Process.Program, .. R1Process.Train("zero", settings, "--output", run)]).FinishAsync();
        Assert.Equal(0, exitCode);
        string[] lines = error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.StartsWith("error: ", lines[0], StringComparison.Ordinal);
        Assert.Contains("No space left on device", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("--resume.", lines[0], StringComparison.Ordinal);
        Assert.Equal(["exit 1", "exit 0"], lines[1..]);
        AssertSame("checkpoints/zero/model/model.safetensors");
    }

    [Fact]
    public async Task A_read_only_output_is_named_before_any_work()
    {
        SkipWithoutBubblewrap();
        string readOnly = Directory.CreateDirectory(Path.Combine(_folder.FullName, "read-only")).FullName, run = Path.Combine(readOnly, "run");
        var (exitCode, error) = await R1Process.Start("bwrap",
            ["--dev-bind", "/", "/", "--ro-bind", readOnly, readOnly, R1Process.Program, .. R1Process.Train("zero", [], "--output", run)]).FinishAsync();
        Assert.Equal(1, exitCode);
        Assert.StartsWith($"error: output folder '{run}' cannot be written: ", error, StringComparison.Ordinal);
        Assert.EndsWith("Choose another --output.\n", error, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static void SkipWithoutSignals() => Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent with kill(2)");

    private static void SkipWithoutBubblewrap() => Assert.SkipUnless(File.Exists("/usr/bin/bwrap"), "small and read-only disks are made with bubblewrap");

    private static bool IsSaving(string stageFolder) => Directory.Exists(stageFolder) && Directory.EnumerateDirectories(stageFolder, "*.part").Any();

    private string[] Checkpoints() => Directory.Exists(Path.Combine(Parted, "checkpoints", "zero")) ? Directory.GetDirectories(Path.Combine(Parted, "checkpoints", "zero"), "checkpoint-*") : [];

    private void AssertSame(params string[] files)
    {
        foreach (string file in (string[])["metrics.jsonl", "completions.jsonl", .. files])
            Assert.True(File.ReadAllBytes(Path.Combine(Whole, file)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(Parted, file))), file);
    }
}
