using DeepSeekR1.Configuration;
using DeepSeekR1.Data;
using DeepSeekR1.Evaluation;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Stages;

/// <summary>Measures a model on a file of prompts with answers; what <c>r1 eval</c> does.</summary>
public static class EvaluationRun
{
    /// <summary>pass@1 with its standard error, and what else the samples show.</summary>
    /// <exception cref="R1Exception">Config, model or data is amiss.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task<IReadOnlyList<Figure>> RunAsync(EvalRequest request, IRunObserver observer, CancellationToken cancellationToken = default)
    {
        var recipe = ConfigReader.Load<Recipe>(request.Config, request.Overrides);
        if (request.Device is { } device) recipe = recipe with { Runtime = recipe.Runtime with { Device = device } };
        var prompts = PromptDataset.Load(recipe.Data.Test with { Path = request.Data }, recipe.Seed);
        if (request.Limit is { } limit) prompts = [.. prompts.Take(limit)];
        var runtime = TorchRuntime.Create(recipe.Runtime);
        return await ComputeThread.RunAsync(runtime, async () =>
        {
            using var policy = PolicyModel.Load(EmbeddedModels.Resolve(request.Model, EmbeddedModels.Cache), runtime);
            policy.Ask = prompt => PromptDataset.Messages(prompt, recipe.Data.Prompts);
            var random = new AddressedRandom(request.Seed ?? recipe.Seed, RandomPurpose.Evaluation);
            var progress = new Progress(observer);
            var measured = await new Evaluator(policy, recipe.Evaluation, random).SampleAsync(
                prompts, request.Samples, request.Samples, progress: progress, cancellationToken: cancellationToken);
            return FiguresOf(measured, prompts.Length, request.Samples);
        });
    }

    private static List<Figure> FiguresOf(EvaluationResult measured, int prompts, int samples)
    {
        var figures = new List<Figure>
        {
            new("prompts", prompts, IsShare: false),
            new("pass@1", measured.Accuracy, measured.StandardError),
        };
        if (samples > 1)
        {
            figures.Add(new($"pass@{samples}", measured.PassAtSamples));
            figures.Add(new($"cons@{samples}", measured.Consensus!.Value));
        }
        figures.Add(new("format", measured.Format));
        if (measured.Language is { } language) figures.Add(new("language", language));
        figures.Add(new("length", measured.Length, IsShare: false));
        figures.Add(new("truncated", measured.Truncated));
        if (measured.Unjudged > 0) figures.Add(new("unjudged", measured.Unjudged, IsShare: false));
        return figures;
    }

    private sealed class Progress(IRunObserver observer) : IProgress<RolloutProgress>
    {
        public void Report(RolloutProgress value) => observer.WorkDone(new WorkProgress("sampling", value.FinishedSequences, value.TotalSequences));
    }
}
