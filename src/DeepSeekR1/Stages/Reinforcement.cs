using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Training;

namespace DeepSeekR1.Stages;

/// <summary>What the stages of reinforcement learning have in common: prompts, rule rewards, GRPO.</summary>
internal static class Reinforcement
{
    public static StagePlan<PolicyModel> Plan(RunContext run, string name, ReinforcementConfig config, string modelFolder, string? curveFile = null)
    {
        var rewards = RewardRegistry.Default.Parse(config.Rewards);
        var grpo = config.Grpo;
        string summary = $"GRPO, {grpo.Steps} steps of {grpo.PromptsPerStep} prompts × {grpo.GroupSize} samples, rewards {string.Join(" + ", config.Rewards)}";
        var prompts = run.Data.TrainingPrompt;
        return new StagePlan<PolicyModel>(name, summary, modelFolder, run.OpensToTrain(modelFolder), policy => new GrpoTrainer(policy, rewards, grpo, run.Recipe.Seed, run.Time) { Prompts = prompts })
            .Evaluated(run, config, curveFile);
    }
}
