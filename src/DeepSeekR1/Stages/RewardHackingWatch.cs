using DeepSeekR1.Training;

namespace DeepSeekR1.Stages;

/// <summary>
/// Warns, once, when the reward model pays more and more while the rules pay less: the sign of a policy that has found the model's holes.
/// The means over a window of steps are compared with those over the window before.
/// </summary>
/// <param name="rule">Metric of the rule.</param>
/// <param name="model">Metric of the reward model.</param>
/// <param name="warn">Told once.</param>
internal sealed class RewardHackingWatch(string rule, string model, Action<string> warn)
{
    private const int Window = 5;
    private const double Fall = 0.03, Rise = 0.01;

    private readonly List<(double Rule, double Model)> _steps = [];
    private bool _hasWarned;

    /// <summary>Sees a step; one in which either did not speak is passed over.</summary>
    public void See(StepReport report)
    {
        if (_hasWarned || !report.Metrics.TryGetValue(rule, out double byRule) || !report.Metrics.TryGetValue(model, out double byModel)) return;
        _steps.Add((byRule, byModel));
        if (_steps.Count < 2 * Window) return;
        var (before, now) = (_steps[^(2 * Window)..^Window], _steps[^Window..]);
        double fall = before.Average(step => step.Rule) - now.Average(step => step.Rule), rise = now.Average(step => step.Model) - before.Average(step => step.Model);
        if (fall < Fall || rise < Rise) return;
        _hasWarned = true;
        warn($"step {report.Step}: {model} rose by {rise:0.000} while {rule} fell by {fall:0.000} over {Window} steps: the policy may be exploiting the reward model. " +
            "Raise loss.beta, lower its weight or allScenarioRl.preferenceShare, or train a better reward model.");
    }
}
