using DeepSeekR1.Rollouts;
using DeepSeekR1.Training;

namespace DeepSeekR1.Stages;

/// <summary>The cold start: supervised fine-tuning of the base model on few clean worked solutions (DeepSeek-R1, section 2.3.1; "dev1").</summary>
internal static class ColdStartStage
{
    public const string Name = "cold-start", Row = "dev1";

    public static StagePlan<PolicyModel> Plan(RunContext run, string baseFolder)
    {
        var examples = run.Data.ColdStart();
        var sft = run.Recipe.ColdStart.Sft;
        return new StagePlan<PolicyModel>(Name, $"supervised fine-tuning on {examples.Count} worked solutions", baseFolder, run.OpensToTrain(baseFolder), policy =>
        {
            var trainer = SftTrainer.On(examples, policy, sft, run.Recipe.Seed, run.Time);
            if (trainer.TooLong > 0) run.Warn($"{trainer.TooLong} of {examples.Count} worked solutions have more than {sft.MaxLength} tokens and are left out; coldStart.sft.maxLength raises the limit.");
            return trainer;
        }).Evaluated(run, run.Recipe.ColdStart);
    }
}
