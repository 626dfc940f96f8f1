using System.Runtime.InteropServices;
using System.Text;
using DeepSeekR1.Configuration;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Telemetry;
using Spectre.Console;

namespace DeepSeekR1.Cli.Tests;

/// <summary>Runs the command line in this process against a library that only remembers what it was asked.</summary>
internal sealed class CliRun : IOperations
{
    private readonly StringBuilder _out = new(), _error = new();
    private readonly List<Action<PosixSignalContext>> _signalHandlers = [];

    /// <summary>The request of the last command.</summary>
    public object? Request { get; private set; }

    public Func<IRunObserver, CancellationToken, Task> Training { get; set; } = (_, _) => Task.CompletedTask;

    public IReadOnlyList<string> Pieces { get; set; } = [];

    public IAnsiConsole? Terminal { get; set; }

    public ManualTime Time { get; } = new();

    public string Out => _out.ToString().ReplaceLineEndings("\n");

    public string Error => _error.ToString().ReplaceLineEndings("\n");

    public async Task<int> RunAsync(params string[] args)
    {
        using StringWriter output = new(_out), error = new(_error);
        using var interruption = new Interruption(error, (_, handler) =>
        {
            _signalHandlers.Add(handler);
            return new StringReader("");
        });
        return await R1CommandLine.RunAsync(args, new CliContext(this, output, error, Terminal, Time), interruption);
    }

    /// <summary>Sends a signal to the handler; true when the process would go on.</summary>
    public bool Signal(PosixSignal signal)
    {
        var context = new PosixSignalContext(signal);
        _signalHandlers[0](context);
        return context.Cancel;
    }

    public Task TrainAsync(TrainRequest request, IRunObserver observer, CancellationToken cancellationToken)
    {
        Request = request;
        return Training(observer, cancellationToken);
    }

    public Task<IReadOnlyList<Figure>> EvaluateAsync(EvalRequest request, IRunObserver observer, CancellationToken cancellationToken)
    {
        Request = request;
        return Task.FromResult<IReadOnlyList<Figure>>([new("pass@1", 0.275, 0.0123), new("length", 41.25, IsShare: false)]);
    }

    public async IAsyncEnumerable<SampledPiece> SampleAsync(SampleRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Request = request;
        await Task.Yield();
        foreach (string piece in Pieces) yield return new SampledPiece(0, piece);
    }

    public IConversation Converse(SampleRequest request)
    {
        Request = request;
        return new EchoConversation();
    }

    public Task<IReadOnlyList<Figure>> ScoreAsync(ScoreRequest request, IRunObserver observer, CancellationToken cancellationToken)
    {
        Request = request;
        return Task.FromResult<IReadOnlyList<Figure>>([new("accuracy", 1), new(Figures.MeanReward, 1, IsShare: false)]);
    }

    public string ResolveConfig(string? config, IReadOnlyList<string> overrides) => ConfigWriter.Write(ConfigReader.Load<SamplingConfig>(config, overrides));

    public string ConfigSchema() => Configuration.ConfigSchema.Generate<SamplingConfig>();
}

/// <summary>A model that says what it hears.</summary>
internal sealed class EchoConversation : IConversation
{
    public void Answer(string message, Action<string> onText, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        onText(message);
    }

    public void Dispose() { }
}

/// <summary>A clock that is set by hand.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public void Advance(double seconds) => _ticks += TimeSpan.FromSeconds(seconds).Ticks;
}
