using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeepSeekR1.Training;

/// <summary>Shape of the learning rate after warmup.</summary>
public enum ScheduleKind
{
    /// <summary>Stays at its peak.</summary>
    Constant,
    /// <summary>Falls in a straight line.</summary>
    Linear,
    /// <summary>Falls along a cosine.</summary>
    Cosine,
    /// <summary>A cosine one step ahead: the last step of warmup is at the peak, the last step of all at the bottom.</summary>
    CosineOneAhead,
    /// <summary>Falls along a cosine several times, jumping back to the peak.</summary>
    CosineWithRestarts,
    /// <summary>Falls as a power of the remaining share of steps.</summary>
    Polynomial,
    /// <summary>Falls as one over the root of the steps made.</summary>
    InverseSqrt,
    /// <summary>Stays at its peak, then falls during the last <see cref="ScheduleConfig.DecaySteps"/>.</summary>
    WarmupStableDecay,
}

/// <summary>How warmup rises or a final decay falls.</summary>
public enum RampShape
{
    /// <summary>In a straight line.</summary>
    Linear,
    /// <summary>Along half a cosine wave.</summary>
    Cosine,
    /// <summary>One minus the root of the share done: steep first.</summary>
    OneMinusSqrt,
}

/// <summary>The learning rate as a function of the step.</summary>
public sealed record ScheduleConfig
{
    /// <summary>Shape after warmup.</summary>
    [Description("Shape of the learning rate after warmup.")]
    public ScheduleKind Kind { get; init; } = ScheduleKind.Constant;

    /// <summary>Steps in which the learning rate rises to its peak.</summary>
    [Description("Steps in which the learning rate rises to its peak."), Range(0, int.MaxValue)]
    public int WarmupSteps { get; init; }

    /// <summary>Share of the peak at which warmup begins.</summary>
    [Description("Share of the peak at which warmup begins."), Range(0, 1)]
    public double WarmupStartRatio { get; init; }

    /// <summary>Shape of warmup; read by warmup-stable-decay.</summary>
    [Description("Shape of warmup, for warmup-stable-decay.")]
    public RampShape WarmupShape { get; init; } = RampShape.Linear;

    /// <summary>Share of the peak to which it falls.</summary>
    [Description("Share of the peak to which it falls."), Range(0, 1)]
    public double MinRatio { get; init; }

    /// <summary>Waves of the cosine: a half falls once; with restarts, how many times it falls. Null: 0.5, with restarts 1.</summary>
    [Description("Waves of the cosine: 0.5 falls once; with restarts, how many times it falls."), Range(0, 1000)]
    public double? Cycles { get; init; }

    /// <summary>Exponent of the polynomial.</summary>
    [Description("Exponent of the polynomial."), Range(0, 100)]
    public double Power { get; init; } = 1;

    /// <summary>Steps of the final decay of warmup-stable-decay.</summary>
    [Description("Steps of the final decay of warmup-stable-decay."), Range(0, int.MaxValue)]
    public int DecaySteps { get; init; }

    /// <summary>Shape of the final decay of warmup-stable-decay.</summary>
    [Description("Shape of the final decay of warmup-stable-decay.")]
    public RampShape DecayShape { get; init; } = RampShape.Cosine;
}
