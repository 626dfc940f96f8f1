using DeepSeekR1.Evaluation;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Training;

namespace DeepSeekR1.Stages;

/// <summary>
/// Reinforcement learning for all scenarios (DeepSeek-R1, section 2.3.4; "r1"): rules pay reasoning, reward models pay general and safety
/// prompts, and those only in the last share of the steps, since the longer a model is paid by models, the better it learns their holes.
/// The model of the best evaluation is kept; the evaluation asks rules and exact forms, not the reward models.
/// </summary>
internal static class AllScenarioRlStage
{
    public const string Name = "all-scenario-rl", Row = "r1";

    private const string Helpful = "helpful", Harmless = "harmless";

    private const string Reasoning = "reasoning", General = "general", Safety = "safety";

    public static StagePlan<PolicyModel> Plan(RunContext run, string modelFolder, RewardModel helpful, RewardModel safety)
    {
        var config = run.Recipe.AllScenarioRl;
        var rewards = RewardsOf(run, config, helpful, safety);
        var grpo = config.Grpo;
        int firstGeneral = (int)Math.Round(grpo.Steps * (1 - config.PreferenceShare));
        string summary = $"GRPO, {grpo.Steps} steps of {grpo.PromptsPerStep} prompts × {grpo.GroupSize} samples, rules ({string.Join(" + ", config.Rewards)}), after step {firstGeneral} reward models too";
        var watch = new RewardHackingWatch($"rewards/{NameOfFirstRule(rewards)}/mean", $"rewards/{Helpful}/mean", run.Warn);
        return new StagePlan<PolicyModel>(Name, summary, modelFolder, run.OpensToTrain(modelFolder),
            policy => new GrpoTrainer(policy, rewards, grpo, run.Recipe.Seed, run.Time) { Prompts = position => PromptAt(run, config, firstGeneral, position) })
        {
            EvaluateEvery = run.Data.Validation.Count > 0 ? config.EvaluateEvery : 0,
            Evaluate = (policy, step) => EvaluateAsync(run, policy, step, config.EvaluationSamples),
            Worth = values => values.GetValueOrDefault("eval_accuracy") + values.GetValueOrDefault("eval_helpful") + values.GetValueOrDefault("eval_harmless"),
            Patience = config.Patience,
            Watch = report => watch.See(report),
            CurveFile = $"curve-{Name}.svg",
        };
    }

    /// <summary>A harmful wish is judged for harm alone: to the judge of helpfulness, help with it looks like help.</summary>
    private static WeightedRewards RewardsOf(RunContext run, AllScenarioConfig config, RewardModel helpful, RewardModel safety)
    {
        var rules = RewardRegistry.Default.Parse(config.Rewards);
        return (rules with { Items = [.. rules.Items.Select(rule => rule with { Reward = rule.Reward.OnlyFor(Reasoning) })] })
            .With(new ModelReward(Helpful, helpful, run.Data.Ask, JudgedPart.Answer).OnlyFor(General), config.HelpfulWeight)
            .With(new ModelReward(Harmless, safety, run.Data.Ask, JudgedPart.Whole).OnlyFor(General, Safety), config.SafetyWeight);
    }

    private static string NameOfFirstRule(WeightedRewards rewards) => rewards.Items[0].Reward.Name;

    /// <summary>A general prompt with the configured chance once the reward models have their say, else a reasoning prompt.</summary>
    private static Prompt PromptAt(RunContext run, AllScenarioConfig config, int firstGeneral, int position)
    {
        bool isLate = position / config.Grpo.PromptsPerStep >= firstGeneral;
        double u = new AddressedRandom(run.Recipe.Seed, RandomPurpose.Order).Uniform(position, 0, 0, 0);
        return isLate && u < config.GeneralShare ? run.Data.GeneralPrompt(position) : run.Data.TrainingPrompt(position);
    }

    private static async Task<IReadOnlyDictionary<string, double>> EvaluateAsync(RunContext run, PolicyModel policy, int step, int samples)
    {
        var values = new OrderedDictionary<string, double>(await new Measurements(run).CurveAsync(policy, step, samples));
        if (run.Data.World is not { } world) return values;
        var chats = ChatEvaluation.Measure(policy, world.ValidationChats(), run.Recipe.Evaluation, new AddressedRandom(run.Recipe.Seed, RandomPurpose.Evaluation), step + 1);
        (values["eval_helpful"], values["eval_harmless"]) = (chats.Helpful, chats.Harmless);
        return values;
    }
}
