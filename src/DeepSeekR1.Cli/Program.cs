using System.Text;
using DeepSeekR1.Cli;
using Spectre.Console;

Console.OutputEncoding = Encoding.UTF8;
bool isTerminal = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("CI") is null or "" or "false";
using var interruption = new Interruption(Console.Error);
var context = new CliContext(new Operations(), Console.Out, Console.Error, isTerminal ? AnsiConsole.Console : null, TimeProvider.System)
{
    In = Console.In,
    OnInterrupt = interruption.Divert,
    AnnounceOnInterrupt = notice => interruption.Notice = notice,
};
return await R1CommandLine.RunAsync(args, context, interruption);
