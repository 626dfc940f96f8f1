namespace DeepSeekR1.Training;

/// <summary>The learning rate of each step: a pure function, so that a resumed run needs no state for it.</summary>
/// <param name="config">Shape.</param>
/// <param name="peak">Learning rate where the schedule's factor is one.</param>
/// <param name="totalSteps">Steps of the whole run.</param>
public sealed class LrSchedule(ScheduleConfig config, double peak, int totalSteps)
{
    private const double DefaultCosineCycles = 0.5, DefaultRestarts = 1;

    /// <summary>Learning rate of the optimizer step with this index, counted from 0; defined beyond the last step too.</summary>
    public double At(int step) => peak * Factor(step);

    private double Factor(int step)
    {
        int ahead = config.Kind == ScheduleKind.CosineOneAhead ? 1 : 0;
        if (step < config.WarmupSteps) return Warmup((double)step / Math.Max(1, config.WarmupSteps - ahead));
        double progress = (double)(step - config.WarmupSteps + ahead) / Math.Max(1, totalSteps - config.WarmupSteps);
        return config.Kind switch
        {
            ScheduleKind.Constant => 1,
            ScheduleKind.Linear => Floored(Math.Max(0, 1 - progress)),
            ScheduleKind.Cosine or ScheduleKind.CosineOneAhead => Floored(Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * 2 * (config.Cycles ?? DefaultCosineCycles) * progress)))),
            ScheduleKind.CosineWithRestarts => Floored(progress >= 1 ? 0 : 0.5 * (1 + Math.Cos(Math.PI * ((config.Cycles ?? DefaultRestarts) * progress % 1)))),
            ScheduleKind.Polynomial => Floored(Math.Pow(Math.Max(0, 1 - progress), config.Power)),
            ScheduleKind.InverseSqrt => InverseSqrt(step),
            ScheduleKind.WarmupStableDecay => Decay(step),
            _ => throw new ArgumentOutOfRangeException(nameof(step), config.Kind, "unknown schedule"),
        };
    }

    private double Warmup(double progress)
    {
        if (config.Kind == ScheduleKind.WarmupStableDecay) return Floored(1 - Fall(config.WarmupShape, progress));
        return config.WarmupStartRatio + (1 - config.WarmupStartRatio) * progress;
    }

    private double InverseSqrt(int step)
    {
        const int TimescaleWithoutWarmup = 10_000;
        int timescale = config.WarmupSteps > 0 ? config.WarmupSteps : TimescaleWithoutWarmup;
        return 1 / Math.Sqrt((double)(step - config.WarmupSteps + timescale) / timescale);
    }

    private double Decay(int step)
    {
        int begin = totalSteps - config.DecaySteps;
        if (step < begin) return 1;
        return step < totalSteps ? Floored(Fall(config.DecayShape, (double)(step - begin) / config.DecaySteps)) : config.MinRatio;
    }

    /// <summary>Falls from 1 to 0 as progress goes from 0 to 1.</summary>
    private static double Fall(RampShape shape, double progress) => shape switch
    {
        RampShape.Linear => 1 - progress,
        RampShape.Cosine => 0.5 * (1 + Math.Cos(Math.PI * progress)),
        _ => 1 - Math.Sqrt(progress),
    };

    private double Floored(double factor) => config.MinRatio + (1 - config.MinRatio) * factor;
}
