using System.Diagnostics;
using System.Runtime.InteropServices;
using DeepSeekR1.Runtime;
using DeepSeekR1.Testing;

namespace DeepSeekR1.Cli.Tests;

/// <summary>The real program in processes of its own.</summary>
public sealed class ProcessTests : IDisposable
{
    private const int Kills = 10;

    private static readonly string[] _settings =
        [.. SmallRecipe.Settings, "checkpoints.every=2", "evaluation.samples=1", "evaluation.consensusSamples=0", "zero.grpo.steps=12", "reasoningRl.evaluateEvery=2"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-process-");

    // Slow: eleven starts of the program.
    [Fact, Trait("Category", "Slow")]
    public async Task A_run_killed_at_any_moment_goes_on_and_leaves_the_same_bytes()
    {
        string whole = Path.Combine(_folder.FullName, "whole"), killed = Path.Combine(_folder.FullName, "killed");
        Assert.Equal((0, ""), await FinishAsync(Start("--output", whole)));

        var random = new AddressedRandom(11, RandomPurpose.Verification).Stream();
        for (int kill = 0; kill < Kills; kill++)
        {
            using var process = Start("--output", killed, "--resume");
            if (!process.WaitForExit(TimeSpan.FromMilliseconds(random.Between(600, 2500)))) process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        Assert.Equal((0, ""), await FinishAsync(Start("--output", killed, "--resume")));

        foreach (string file in new[] { "metrics.jsonl", "completions.jsonl", "checkpoints/zero/model/model.safetensors", "checkpoints/reasoning-rl/model/model.safetensors",
            "checkpoints/reward-model-helpful/model/model.safetensors", "checkpoints/all-scenario-rl/model/model.safetensors", "checkpoints/distill/model/model.safetensors" })
            Assert.True(File.ReadAllBytes(Path.Combine(whole, file)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(killed, file))), file);
    }

    [Fact]
    public async Task Ctrl_C_saves_and_exits_with_130()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent with kill(2)");
        string output = Path.Combine(_folder.FullName, "run");
        using var process = Start("--output", output, "--set", "zero.grpo.steps=100000");
        string? line;
        do line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        while (line?.Contains("/100000  ", StringComparison.Ordinal) == false);
        Assert.NotNull(line);
        Assert.Equal(0, SendSignal(process.Id, Interrupt));
        Assert.Equal((130, "stopping after this step and saving; Ctrl+C again exits at once.\n"), await FinishAsync(process));
        Assert.NotEmpty(Directory.GetDirectories(Path.Combine(output, "checkpoints", "zero"), "checkpoint-*"));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "r1.exe" : "r1"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in (string[])["train", "--stage", "all", .. _settings.SelectMany(setting => new[] { "--set", setting }), .. arguments]) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static async Task<(int ExitCode, string Error)> FinishAsync(Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await output;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, error);
    }

    private const int Interrupt = 2;

    [DllImport("libc", EntryPoint = "kill"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
