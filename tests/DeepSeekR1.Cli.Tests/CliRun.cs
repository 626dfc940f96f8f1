using System.Runtime.InteropServices;
using System.Text;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Configuration;
using DeepSeekR1.Evaluation;
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

    /// <summary>Called after each piece.</summary>
    public Action Sampled { get; set; } = () => { };

    public double MeanReward { get; set; } = 1;

    public IAnsiConsole? Terminal { get; set; }

    public ManualTime Time { get; } = new();

    /// <summary>Standard input.</summary>
    public string Input { get; set; } = "";

    /// <summary>Standard input that is more than a text.</summary>
    public TextReader? In { get; set; }

    /// <summary>Called with each message of a conversation before it is answered.</summary>
    public Action<string> Answering { get; set; } = _ => { };

    public string Out => _out.ToString().ReplaceLineEndings("\n");

    public string Error => _error.ToString().ReplaceLineEndings("\n");

    public async Task<int> RunAsync(params string[] args)
    {
        using StringWriter output = new(_out), error = new(_error);
        using var input = In ?? new StringReader(Input);
        using var interruption = new Interruption(error, (_, handler) =>
        {
            _signalHandlers.Add(handler);
            return new StringReader("");
        });
        return await R1CommandLine.RunAsync(args, new CliContext(this, output, error, Terminal, Time) { In = input, OnInterrupt = interruption.Divert, AnnounceOnInterrupt = notice => interruption.Notice = notice }, interruption);
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
        foreach (string piece in Pieces)
        {
            yield return new SampledPiece(0, piece);
            Sampled();
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public IConversation Converse(SampleRequest request)
    {
        Request = request;
        return new EchoConversation(Answering);
    }

    public Task<IReadOnlyList<Figure>> ScoreAsync(ScoreRequest request, IRunObserver observer, CancellationToken cancellationToken)
    {
        Request = request;
        return Task.FromResult<IReadOnlyList<Figure>>([new("accuracy", 1), new(Figures.MeanReward, MeanReward, IsShare: false)]);
    }

    public CheckpointSummary Inspect(string path)
    {
        Request = path;
        return new CheckpointSummary
        {
            Path = path,
            Architecture = "LlamaForCausalLM",
            Parameters = 1234567,
            ActiveParameters = 234567,
            Tensors = [new("a.0.w", "F32", [2, 3]), new("a.1.w", "F32", [2, 3]), new("a.10.b", "BF16", [2])],
            StopTokens = [new TokenSummary(2, "<|im_end|>")],
        };
    }

    public IReadOnlyList<Deviation> Deviations { get; set; } = [];

    public Task<IReadOnlyList<Deviation>> VerifyModelAsync(VerifyRequest request)
    {
        Request = request;
        return Task.FromResult(Deviations);
    }

    public TokenizerReport TokenizerReport { get; set; } = new(1, []);

    public TokenizerReport VerifyTokenizer(VerifyRequest request)
    {
        Request = request;
        return TokenizerReport;
    }

    public Task<IReadOnlyList<string>> ExportAsync(ExportRequest request)
    {
        Request = request;
        return Task.FromResult<IReadOnlyList<string>>(["beyond 32 tokens it differs"]);
    }

    public string ResolveConfig(string? config, IReadOnlyList<string> overrides) => ConfigWriter.Write(ConfigReader.Load<SamplingConfig>(config, overrides));

    public string ConfigSchema() => Configuration.ConfigSchema.Generate<SamplingConfig>();
}

/// <summary>A model that says what it hears.</summary>
internal sealed class EchoConversation(Action<string> answering) : IConversation
{
    public void Answer(string message, Action<string> onText, CancellationToken cancellationToken)
    {
        answering(message);
        cancellationToken.ThrowIfCancellationRequested();
        onText(message);
    }

    public void Dispose() { }
}

/// <summary>Somebody who types and types, until it is disposed.</summary>
internal sealed class EndlessTyping : TextReader
{
    private readonly ManualResetEventSlim _ended = new();

    /// <summary>Called when the first line is waited for.</summary>
    public Action Started { get; set; } = () => { };

    public override string? ReadLine()
    {
        Started();
        _ended.Wait();
        return null;
    }

    protected override void Dispose(bool disposing)
    {
        _ended.Set();
        base.Dispose(disposing);
    }
}

/// <summary>A clock that is set by hand.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public void Advance(double seconds) => _ticks += TimeSpan.FromSeconds(seconds).Ticks;
}
