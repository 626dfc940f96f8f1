using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeepSeekR1.Training;

/// <summary>
/// Keeps entropy from falling below a target: after each update the weight of the entropy bonus grows by a step where entropy was not
/// above the target, and shrinks otherwise; where it was above, no bonus is paid (Skywork-OR1, arXiv 2505.22312 eq. 3.2).
/// </summary>
public sealed record AdaptiveEntropyConfig
{
    /// <summary>Mean entropy of a token, in nats, that is to be kept.</summary>
    [Description("Mean entropy of a token, in nats, that is to be kept."), Range(0, 100)]
    public double Target { get; init; } = 0.2;

    /// <summary>How much the weight changes after an update.</summary>
    [Description("How much the weight of the bonus changes after an update."), Range(0, 10)]
    public double Step { get; init; } = 0.005;

    /// <summary>Smallest weight.</summary>
    [Description("Smallest weight of the bonus."), Range(0, 10)]
    public double Min { get; init; }

    /// <summary>Largest weight.</summary>
    [Description("Largest weight of the bonus."), Range(0, 10)]
    public double Max { get; init; } = 1;
}

/// <summary>The state of the controller between two updates.</summary>
/// <param name="Coefficient">The weight as it has grown.</param>
/// <param name="LastEntropy">Mean entropy of a token in the latest update; null before the first.</param>
internal readonly record struct EntropyControl(double Coefficient, double? LastEntropy)
{
    /// <summary>The weight that the next update pays.</summary>
    public double Applied(AdaptiveEntropyConfig config) => LastEntropy > config.Target ? 0 : Coefficient;

    /// <summary>The state after an update of this mean entropy.</summary>
    public EntropyControl After(double entropy, AdaptiveEntropyConfig config) =>
        new(Math.Clamp(Coefficient + (entropy <= config.Target ? config.Step : -config.Step), config.Min, config.Max), entropy);
}
