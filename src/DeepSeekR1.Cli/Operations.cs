using DeepSeekR1.Configuration;
using DeepSeekR1.Stages;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Cli;

/// <summary>The commands' way into the library.</summary>
internal sealed class Operations : IOperations
{
    public Task TrainAsync(TrainRequest request, IRunObserver observer, CancellationToken cancellationToken) =>
        TrainingRun.RunAsync(request, observer, cancellationToken: cancellationToken);

    public Task<IReadOnlyList<Figure>> EvaluateAsync(EvalRequest request, IRunObserver observer, CancellationToken cancellationToken) => throw NotYet("eval");

    public IAsyncEnumerable<string> SampleAsync(SampleRequest request, CancellationToken cancellationToken) => throw NotYet("sample");

    public Task<IReadOnlyList<Figure>> ScoreAsync(ScoreRequest request, IRunObserver observer, CancellationToken cancellationToken) => throw NotYet("score");

    public string ResolveConfig(string? config, IReadOnlyList<string> overrides) =>
        ConfigWriter.Write(ConfigReader.Load<Recipe>(config ?? TrainingRun.DefaultRecipe, overrides));

    public string ConfigSchema() => Configuration.ConfigSchema.Generate<Recipe>();

    private static R1Exception NotYet(string command) => new($"'r1 {command}' is not part of this version yet.");
}
