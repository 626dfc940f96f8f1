using DeepSeekR1.Configuration;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Cli;

/// <summary>What the commands ask of the library. Commands parse, render and exit; everything else is behind this.</summary>
internal interface IOperations
{
    /// <summary>Runs stages; ends early, saved, when cancelled (<see cref="OperationCanceledException"/>).</summary>
    Task TrainAsync(TrainRequest request, IRunObserver observer, CancellationToken cancellationToken);

    /// <summary>Measures a model on prompts with answers.</summary>
    Task<IReadOnlyList<Figure>> EvaluateAsync(EvalRequest request, IRunObserver observer, CancellationToken cancellationToken);

    /// <summary>A model's answer, piece by piece as it is sampled.</summary>
    IAsyncEnumerable<string> SampleAsync(SampleRequest request, CancellationToken cancellationToken);

    /// <summary>Judges completions that are already there.</summary>
    Task<IReadOnlyList<Figure>> ScoreAsync(ScoreRequest request, IRunObserver observer, CancellationToken cancellationToken);

    /// <summary>The whole config as JSON after all layers; null: the default recipe.</summary>
    /// <exception cref="R1Exception">It is wrong.</exception>
    string ResolveConfig(string? config, IReadOnlyList<string> overrides);

    /// <summary>The JSON schema of configs.</summary>
    string ConfigSchema();
}
