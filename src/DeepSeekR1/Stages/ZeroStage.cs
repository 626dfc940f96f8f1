using DeepSeekR1.Rollouts;

namespace DeepSeekR1.Stages;

/// <summary>R1-Zero: pure reinforcement learning from the base model with accuracy and format rewards (DeepSeek-R1, section 2.2).</summary>
internal static class ZeroStage
{
    public const string Name = "zero", Row = "zero";

    public static StagePlan<PolicyModel> Plan(RunContext run, string baseFolder) => Reinforcement.Plan(run, Name, run.Recipe.Zero, baseFolder, "curve.svg");
}
