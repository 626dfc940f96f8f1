using System.Text.Json.Nodes;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Training;

namespace DeepSeekR1.Stages;

/// <summary>
/// Distillation (DeepSeek-R1, section 2.4): a smaller model of its own architecture, with its own tokenizer, learns from the curated samples
/// of the finished model. Beside it the same student learns by reinforcement alone.
/// </summary>
internal static class DistillStage
{
    public const string Name = "distill", Row = "distilled", ControlName = "student-rl", ControlRow = "student-rl";

    /// <param name="run">The run.</param>
    /// <param name="studentFolder">The model that learns.</param>
    /// <param name="teacherFolder">The model whose samples it learns from.</param>
    /// <param name="cancellationToken">Checked between samples.</param>
    public static async Task<StagePlan<PolicyModel>> PlanAsync(RunContext run, string studentFolder, string teacherFolder, CancellationToken cancellationToken)
    {
        var config = run.Recipe.Distill;
        var data = new CuratedDataset(run, Name);
        if (!data.IsMade)
        {
            long start = run.Time.GetTimestamp();
            var (rows, report) = await RejectionSftStage.CurateAsync(run, Name, SampledSet.Teacher, teacherFolder, config.Curation, cancellationToken);
            data.Write([.. rows, .. TeacherChats(run, teacherFolder, config, cancellationToken)], report, run.Time.GetElapsedTime(start).TotalSeconds);
        }
        var examples = data.Examples();
        var plan = new StagePlan<PolicyModel>(Name, $"supervised fine-tuning of the student on {examples.Count} rows of its teacher", studentFolder, run.OpensToTrain(studentFolder),
            policy => SftTrainer.On(examples, policy, config.Sft, run.Recipe.Seed, run.Time));
        return plan.Evaluated(run, config) with { SecondsOfData = data.Seconds };
    }

    /// <summary>The same student by reinforcement learning alone.</summary>
    public static StagePlan<PolicyModel> Control(RunContext run, string studentFolder) =>
        Reinforcement.Plan(run, ControlName, run.Recipe.Distill.StudentRl, studentFolder);

    /// <summary>The teacher's answers to general prompts; those that were cut off are left out.</summary>
    private static List<CuratedRow> TeacherChats(RunContext run, string teacherFolder, DistillConfig config, CancellationToken cancellationToken)
    {
        if (config.GeneralPrompts == 0 || !run.Data.HasGeneralPrompts) return [];
        using var teacher = run.Open(teacherFolder);
        Prompt[] prompts = [.. Enumerable.Range(0, config.GeneralPrompts).Select(run.Data.GeneralPrompt)];
        var sampled = new SamplingPass(run, SampledSet.TeacherChats, $"{Name}-general").Run(teacher, prompts, 1, run.Recipe.Evaluation.Sampling, cancellationToken);
        return [.. sampled.Where(answer => !answer.Completions[0].IsTruncated && answer.Completions[0].Text.Length > 0).Select(answer =>
            new CuratedRow(run.Data.Ask(answer.Prompt), answer.Completions[0].Text, new JsonObject { ["kind"] = "teacher", ["prompt_id"] = answer.Prompt.Id }))];
    }
}
