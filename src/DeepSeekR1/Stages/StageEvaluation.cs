using DeepSeekR1.Rollouts;

namespace DeepSeekR1.Stages;

/// <summary>How policies are looked at while a stage teaches them.</summary>
internal static class StageEvaluation
{
    /// <summary>The same plan, with evaluations on the validation prompts; none where there are no such prompts.</summary>
    /// <param name="plan">The stage.</param>
    /// <param name="run">The run.</param>
    /// <param name="config">When it is looked at, and which model it ends with.</param>
    /// <param name="curveFile">Where the curve is drawn; null: a file with the stage's name.</param>
    public static StagePlan<PolicyModel> Evaluated(this StagePlan<PolicyModel> plan, RunContext run, EvaluatedStageConfig config, string? curveFile = null) => plan with
    {
        EvaluateEvery = run.Data.Validation.Count > 0 ? config.EvaluateEvery : 0,
        Evaluate = (policy, step) => new Measurements(run).CurveAsync(policy, step, config.EvaluationSamples),
        Worth = config.Worth,
        Patience = config.Patience,
        CurveFile = curveFile ?? $"curve-{plan.Name}.svg",
    };
}
