using System.Diagnostics;
using System.Runtime.InteropServices;
using DeepSeekR1.Testing;

namespace DeepSeekR1.Cli.Tests;

/// <summary>The real program in a process of its own, on the small recipe.</summary>
internal static class R1Process
{
    private const int Interrupt = 2;

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "r1.exe" : "r1");

    /// <summary>Arguments that train a stage of the small recipe with further settings.</summary>
    public static string[] Train(string stage, string[] settings, params string[] arguments) =>
        ["train", "--stage", stage, .. SmallRecipe.Settings.Concat(settings).SelectMany(setting => new[] { "--set", setting }), .. arguments];

    /// <summary>Starts r1. Whoever runs the tests in the background of a shell has them ignore Ctrl+C, which r1 would inherit.</summary>
    public static Process Start(params string[] arguments) =>
        OperatingSystem.IsLinux() ? Start("env", ["--default-signal=INT", Program, .. arguments]) : Start(Program, arguments);

    public static Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        return Process.Start(start)!;
    }

    /// <summary>Waits for its end.</summary>
    public static async Task<(int ExitCode, string Error)> FinishAsync(this Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await output;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, error);
    }

    /// <summary>Reads what it prints until a line holds a text.</summary>
    public static async Task ReadUntilAsync(this StreamReader stream, string text)
    {
        string? line;
        do line = await stream.ReadLineAsync(TestContext.Current.CancellationToken);
        while (line?.Contains(text, StringComparison.Ordinal) == false);
        Assert.NotNull(line);
    }

    /// <summary>What Ctrl+C sends.</summary>
    public static void PressCtrlC(this Process process) => Assert.Equal(0, SendSignal(process.Id, Interrupt));

    [DllImport("libc", EntryPoint = "kill"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
