using System.Text.Json.Nodes;
using DeepSeekR1.Data;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Training;

namespace DeepSeekR1.Stages;

/// <summary>
/// Rejection sampling and supervised fine-tuning (DeepSeek-R1, section 2.3.3; "dev3"): the best of the reasoning model's samples, joined
/// with general examples, teach the base model anew.
/// </summary>
internal static class RejectionSftStage
{
    public const string Name = "rejection-sft", Row = "dev3";

    /// <param name="run">The run.</param>
    /// <param name="baseFolder">The model that learns.</param>
    /// <param name="samplerFolder">The model whose samples it learns from.</param>
    /// <param name="cancellationToken">Checked between samples.</param>
    public static async Task<StagePlan<PolicyModel>> PlanAsync(RunContext run, string baseFolder, string samplerFolder, CancellationToken cancellationToken)
    {
        var config = run.Recipe.RejectionSft;
        var data = new CuratedDataset(run, Name);
        if (!data.IsMade)
        {
            long start = run.Time.GetTimestamp();
            var (rows, report) = await CurateAsync(run, Name, SampledSet.RejectionSampling, samplerFolder, config.Curation, cancellationToken);
            CuratedRow[] general = [.. run.Data.GeneralExamples().OfType<ChatExample>().Select(example =>
                new CuratedRow(example.Prompt, example.Completion[^1].Content, new JsonObject { ["kind"] = "general", ["id"] = example.Id }))];
            data.Write([.. rows, .. general], report, run.Time.GetElapsedTime(start).TotalSeconds);
        }
        var examples = data.Examples();
        var plan = new StagePlan<PolicyModel>(Name, $"supervised fine-tuning of the base model on {examples.Count} curated rows", baseFolder, run.OpensToTrain(baseFolder),
            policy => SftTrainer.On(examples, policy, config.Sft, run.Recipe.Seed, run.Time));
        return plan.Evaluated(run, config) with { SecondsOfData = data.Seconds };
    }

    /// <summary>Samples a model on training prompts and keeps what is good.</summary>
    public static async Task<(IReadOnlyList<CuratedRow> Rows, CurationReport Report)> CurateAsync(
        RunContext run, string name, SampledSet set, string samplerFolder, CurationConfig config, CancellationToken cancellationToken)
    {
        using var sampler = run.Open(samplerFolder);
        Prompt[] prompts = [.. Enumerable.Range(0, config.Prompts).Select(run.Data.TrainingPrompt)];
        var sampled = new SamplingPass(run, set, name).Run(sampler, prompts, config.Samples, config.Sampling, cancellationToken);
        var (rows, report) = await new RejectionSampling(config).KeepAsync(sampled, run.Data.Ask, Path.GetRelativePath(run.Folder.FolderPath, samplerFolder));
        if (rows.Count == 0)
            throw new R1Exception($"None of {report.Sampled} samples passed the filters of {name} ({string.Join(", ", report.Dropped.Select(filter => $"{filter.Filter}: {filter.Dropped} dropped"))}). " +
                "Sample more, sample a better model, or filter less (curation.filters).");
        return (rows, report);
    }
}
