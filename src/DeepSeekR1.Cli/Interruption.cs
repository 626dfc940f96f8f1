using System.Runtime.InteropServices;

namespace DeepSeekR1.Cli;

/// <summary>Registers a handler for a signal; disposing takes it away. <see cref="PosixSignalRegistration.Create"/> in earnest.</summary>
internal delegate IDisposable SignalSource(PosixSignal signal, Action<PosixSignalContext> handler);

/// <summary>
/// Ctrl+C (or SIGTERM) once: the work is asked to stop, saves what it can, and the process exits with 130 (143). Twice: the second
/// signal is left to the system, which ends the process at once.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();
    private readonly TextWriter _error;
    private readonly IDisposable[] _registrations;
    private int _exitCode;
    private Action? _diverted;

    public Interruption(TextWriter error, SignalSource? source = null)
    {
        _error = error;
        source ??= PosixSignalRegistration.Create;
        _registrations = [source(PosixSignal.SIGINT, OnSignal), source(PosixSignal.SIGTERM, OnSignal)];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _cancellation.Token;

    /// <summary>What the first signal brings, for the user to read.</summary>
    public string Notice { get; set; } = "stopping";

    /// <summary>128 plus the signal's number; 0 before any signal.</summary>
    public int ExitCode => _exitCode;

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _cancellation.Dispose();
    }

    /// <summary>Sends Ctrl+C to an action instead, until the result is disposed: it then stops an answer, not the program.</summary>
    public IDisposable Divert(Action action)
    {
        _diverted = action;
        return new Diversion(this);
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (context.Signal == PosixSignal.SIGINT && _diverted is { } action)
        {
            context.Cancel = true;
            action();
            return;
        }
        int exitCode = context.Signal == PosixSignal.SIGTERM ? Cli.ExitCode.Terminated : Cli.ExitCode.Interrupted;
        if (Interlocked.CompareExchange(ref _exitCode, exitCode, 0) != 0)
        {
            // Live progress hides the cursor; the shell wants it back.
            if (!Console.IsOutputRedirected) Console.CursorVisible = true;
            return;
        }
        context.Cancel = true;
        _error.WriteLine($"{Notice}; Ctrl+C again exits at once.");
        _cancellation.Cancel();
    }

    private sealed class Diversion(Interruption interruption) : IDisposable
    {
        public void Dispose() => interruption._diverted = null;
    }
}
