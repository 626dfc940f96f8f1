using System.Text.Json.Serialization;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Checkpoints.Gguf;
using DeepSeekR1.Configuration;
using DeepSeekR1.Evaluation;
using DeepSeekR1.Runtime;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Cli;

/// <summary>What the commands ask of the library. Commands parse, render and exit; everything else is behind this.</summary>
internal interface IOperations
{
    /// <summary>Runs stages; ends early, saved, when cancelled (<see cref="OperationCanceledException"/>).</summary>
    Task TrainAsync(TrainRequest request, IRunObserver observer, CancellationToken cancellationToken);

    /// <summary>Measures a model on prompts with answers.</summary>
    Task<IReadOnlyList<Figure>> EvaluateAsync(EvalRequest request, IRunObserver observer, CancellationToken cancellationToken);

    /// <summary>A model's answers: a single one piece by piece as it is sampled, several whole, one after the other.</summary>
    IAsyncEnumerable<SampledPiece> SampleAsync(SampleRequest request, CancellationToken cancellationToken);

    /// <summary>Opens a model for a conversation.</summary>
    IConversation Converse(SampleRequest request);

    /// <summary>Judges completions that are already there.</summary>
    Task<IReadOnlyList<Figure>> ScoreAsync(ScoreRequest request, IRunObserver observer, CancellationToken cancellationToken);

    /// <summary>What a checkpoint is, without loading its weights.</summary>
    CheckpointSummary Inspect(string path);

    /// <summary>Recomputes a model's reference file; the worst difference comes first.</summary>
    Task<IReadOnlyList<Deviation>> VerifyModelAsync(VerifyRequest request);

    /// <summary>Compares a tokenizer and its chat template with their reference files.</summary>
    TokenizerReport VerifyTokenizer(VerifyRequest request);

    /// <summary>Writes a model in another format; gives what a user should know of it.</summary>
    Task<IReadOnlyList<string>> ExportAsync(ExportRequest request);

    /// <summary>The whole config as JSON after all layers; null: the default recipe.</summary>
    /// <exception cref="R1Exception">It is wrong.</exception>
    string ResolveConfig(string? config, IReadOnlyList<string> overrides);

    /// <summary>The JSON schema of configs.</summary>
    string ConfigSchema();
}

/// <summary>What <c>r1 verify</c> was asked to do: a model with its reference file, or a tokenizer with its cases.</summary>
internal sealed record VerifyRequest
{
    public string? Model { get; init; }

    public string? Golden { get; init; }

    public double Tolerance { get; init; } = ModelVerification.DefaultTolerance;

    public string? Tokenizer { get; init; }

    public string? Cases { get; init; }

    public string? Chat { get; init; }

    public DeviceChoice? Device { get; init; }
}

/// <summary>What <c>r1 export</c> was asked to do.</summary>
internal sealed record ExportRequest(string Model, ExportFormat Format, GgufType Type, string Output, string? Adapter);

/// <summary>In what format a model is written.</summary>
internal enum ExportFormat
{
    /// <summary>One file for llama.cpp.</summary>
    Gguf,
    /// <summary>A Hugging Face folder.</summary>
    [JsonStringEnumMemberName("safetensors")]
    SafeTensors,
}

/// <summary>A piece of an answer.</summary>
/// <param name="Answer">Which answer, from 0.</param>
/// <param name="Text">The text.</param>
internal readonly record struct SampledPiece(int Answer, string Text);

/// <summary>A conversation with a model, which remembers what was said.</summary>
internal interface IConversation : IDisposable
{
    /// <summary>Answers a message; what was said before a cancellation stays.</summary>
    void Answer(string message, Action<string> onText, CancellationToken cancellationToken);
}

/// <summary>Figures that commands look for.</summary>
internal static class Figures
{
    public const string MeanReward = "mean reward";
}
