using DeepSeekR1.Checkpoints;
using DeepSeekR1.Configuration;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Stages;

/// <summary>Says what a run would do, after everything that can be checked without it was checked.</summary>
internal static class DryRun
{
    public static void Describe(Recipe recipe, RunData data, IReadOnlyList<TrainStage> stages, IRunObserver observer)
    {
        void Say(string text) => observer.Said(new RunMessage(MessageLevel.Information, text));
        if (recipe.Model.Path is { } path && Directory.Exists(path))
        {
            var model = HfCheckpoint.LoadConfig(path);
            Say($"model {path}: {model.Architecture}, {model.ParameterCount:N0} parameters, {model.MaxPositions} positions");
        }
        Say($"data: {data.Validation.Count} validation prompts, {data.Test.Count} test prompts, {data.Longer.Count} longer prompts");
        foreach (var stage in stages)
            Say(stage switch
            {
                TrainStage.Zero => Describe("zero", recipe.Zero),
                TrainStage.ReasoningRl => Describe("reasoning-rl", recipe.ReasoningRl),
                TrainStage.ColdStart => $"cold-start: {data.ColdStart().Count} worked solutions, {recipe.ColdStart.Sft.Epochs} epochs",
                _ => $"{EnumNames.Name(stage)}: {recipe.Pretrain.Sft.Steps} steps of {recipe.Pretrain.Sft.BatchTokens} tokens",
            });
    }

    private static string Describe(string stage, ReinforcementConfig config)
    {
        long rollouts = (long)config.Grpo.Steps * config.Grpo.PromptsPerStep * config.Grpo.GroupSize;
        return $"{stage}: {config.Grpo.Steps} steps, {rollouts:N0} rollouts of at most {config.Grpo.Sampling.MaxNewTokens} tokens: up to {rollouts * config.Grpo.Sampling.MaxNewTokens:N0} tokens sampled and trained on";
    }
}
