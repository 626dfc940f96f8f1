using DeepSeekR1.Cli.Rendering;
using DeepSeekR1.Telemetry;
using Spectre.Console;

namespace DeepSeekR1.Cli;

/// <summary>Everything a command touches outside itself.</summary>
/// <param name="Operations">The library.</param>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="Terminal">Where progress is drawn; null (not a terminal, or CI): plain lines on <paramref name="Out"/>.</param>
/// <param name="Time">The clock of progress and remaining time.</param>
internal sealed record CliContext(IOperations Operations, TextWriter Out, TextWriter Error, IAnsiConsole? Terminal, TimeProvider Time)
{
    /// <summary>Standard input.</summary>
    public TextReader In { get; init; } = TextReader.Null;

    /// <summary>Registers what Ctrl+C does in place of ending the program, until it is disposed.</summary>
    public Func<Action, IDisposable> OnInterrupt { get; init; } = _ => new CancellationTokenSource();

    /// <summary>Says what Ctrl+C will bring, where it is more than an end.</summary>
    public Action<string> AnnounceOnInterrupt { get; init; } = _ => { };

    /// <summary>Runs work whose progress is shown in the way that fits the output.</summary>
    public Task ObserveAsync(Func<IRunObserver, Task> work) =>
        Terminal is not null ? TerminalObserver.RunAsync(Terminal, Time, work) : PlainObserver.RunAsync(Out, Time, work);

    /// <summary>Text that a model or a file wrote: on a terminal it must not be able to move the cursor or change colours.</summary>
    public string Show(string untrusted) => Terminal is null ? untrusted : TerminalText.WithoutControls(untrusted);
}
