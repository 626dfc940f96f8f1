using DeepSeekR1.Rollouts;

namespace DeepSeekR1.Stages;

/// <summary>
/// Reasoning-oriented reinforcement learning from the cold start, with a reward for language consistency summed to accuracy and
/// format (DeepSeek-R1, section 2.3.2; "dev2"), and its control without that reward.
/// </summary>
internal static class ReasoningRlStage
{
    public const string Name = "reasoning-rl", Row = "dev2";

    public static StagePlan<PolicyModel> Plan(RunContext run, string modelFolder) => Reinforcement.Plan(run, Name, run.Recipe.ReasoningRl, modelFolder);

    /// <summary>The control; null where the recipe wants none.</summary>
    public static (StagePlan<PolicyModel> Plan, string Row)? Control(RunContext run, string modelFolder)
    {
        var config = run.Recipe.ReasoningRl;
        if (config.Ablate.Count == 0) return null;
        string without = "no-" + string.Join("-", config.Ablate);
        return (Reinforcement.Plan(run, $"{Name}-{without}", config.Ablated(), modelFolder), $"{Row}-{without}");
    }
}
