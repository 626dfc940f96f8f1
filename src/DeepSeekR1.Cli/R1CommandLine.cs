using System.CommandLine;
using System.CommandLine.Invocation;
using DeepSeekR1.Cli.Commands;
using DeepSeekR1.Rewards;

namespace DeepSeekR1.Cli;

/// <summary>The command <c>r1</c>: parses, runs, and turns every outcome into an exit code.</summary>
internal static class R1CommandLine
{
    /// <summary>Runs one command line.</summary>
    /// <returns>0 done, 1 failed, 2 wrong usage, 130 interrupted.</returns>
    public static async Task<int> RunAsync(string[] args, CliContext context, Interruption interruption)
    {
        Option<bool> verbose = new("--verbose") { Description = "Shows stack traces of failures.", Recursive = true };
        var root = new RootCommand("Trains reasoning models with GRPO: the DeepSeek-R1 recipe in .NET.")
        {
            TrainCommand.Create(context), EvalCommand.Create(context), SampleCommand.Create(context), ScoreCommand.Create(context),
            InspectCommand.Create(context), VerifyCommand.Create(context), ExportCommand.Create(context), ConfigCommand.Create(context), verbose,
        };
        var parsed = root.Parse(args);
        var streams = new InvocationConfiguration { Output = context.Out, Error = context.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        if (parsed.Action is ParseErrorAction wrongUsage)
        {
            // Who types nothing but 'r1' wants to see what there is; suggestions belong to the error.
            wrongUsage.ShowHelp = args.Length == 0;
            streams.Output = context.Error;
            await parsed.InvokeAsync(streams);
            return ExitCode.Usage;
        }
        try
        {
            await parsed.InvokeAsync(streams, interruption.Token);
            return ExitCode.Success;
        }
        catch (OperationCanceledException) when (interruption.ExitCode != 0)
        {
            return interruption.ExitCode;
        }
        catch (Exception failure)
        {
            context.Error.WriteLine(context.Show(Explain(failure, parsed.GetValue(verbose))));
            return ExitCode.Failure;
        }
    }

    private static string Explain(Exception failure, bool isVerbose) =>
        isVerbose ? $"error: {failure}"
        : failure is R1Exception or RewardFailureException ? $"error: {failure.Message}"
        : $"error: {failure.GetType().Name}: {failure.Message} This is a fault of r1 itself; run again with --verbose and report what it prints.";
}
