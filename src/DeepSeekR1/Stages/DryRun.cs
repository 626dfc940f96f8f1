using DeepSeekR1.Checkpoints;
using DeepSeekR1.Configuration;
using DeepSeekR1.Telemetry;
using DeepSeekR1.Training;

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
                TrainStage.Zero => Describe("zero", recipe.Zero.Grpo),
                TrainStage.ReasoningRl => Describe("reasoning-rl", recipe.ReasoningRl.Grpo),
                TrainStage.RejectionSft => $"rejection-sft: {Describe(recipe.RejectionSft.Curation)}, {recipe.RejectionSft.Sft.Epochs} epochs on what is kept",
                TrainStage.RewardModel => $"reward-model: helpful on at most {recipe.RewardModel.MaxPairs:N0} pairs, {recipe.RewardModel.Helpful.Epochs} epochs; safety, {recipe.RewardModel.Safety.Epochs} epochs",
                TrainStage.AllScenarioRl => Describe("all-scenario-rl", recipe.AllScenarioRl.Grpo),
                TrainStage.Distill => $"distill: {Describe(recipe.Distill.Curation)}, {recipe.Distill.Sft.Epochs} epochs on what is kept; {Describe("student-rl", recipe.Distill.StudentRl.Grpo)}",
                TrainStage.ColdStart => $"cold-start: {data.ColdStart().Count} worked solutions, {recipe.ColdStart.Sft.Epochs} epochs",
                _ => $"{EnumNames.Name(stage)}: {recipe.Pretrain.Sft.Steps} steps of {recipe.Pretrain.Sft.BatchTokens} tokens",
            });
    }

    private static string Describe(string stage, GrpoConfig grpo)
    {
        long rollouts = (long)grpo.Steps * grpo.PromptsPerStep * grpo.GroupSize;
        return $"{stage}: {grpo.Steps} steps, {rollouts:N0} rollouts of at most {grpo.Sampling.MaxNewTokens} tokens: up to {rollouts * grpo.Sampling.MaxNewTokens:N0} tokens sampled and trained on";
    }

    private static string Describe(CurationConfig curation) => $"{(long)curation.Prompts * curation.Samples:N0} samples of at most {curation.Sampling.MaxNewTokens} tokens";
}
