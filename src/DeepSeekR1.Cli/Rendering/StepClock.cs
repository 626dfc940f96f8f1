namespace DeepSeekR1.Cli.Rendering;

/// <summary>Seconds a step and time left, from the steps done since the clock was started.</summary>
internal sealed class StepClock(TimeProvider time, int stepsDone, int totalSteps)
{
    private readonly long _start = time.GetTimestamp();

    public int TotalSteps => totalSteps;

    /// <summary>"3.2 s/step, 1:05 left".</summary>
    public string Describe(int step)
    {
        int steps = step - stepsDone;
        if (steps <= 0) return "";
        double seconds = time.GetElapsedTime(_start).TotalSeconds / steps;
        string speed = seconds >= 0.1 ? $"{seconds:0.0} s/step" : $"{1 / Math.Max(seconds, 1e-9):0} steps/s";
        return step >= totalSteps ? speed : $"{speed}, {Format(TimeSpan.FromSeconds(seconds * (totalSteps - step)))} left";
    }

    /// <summary>1:05, or 2:03:04 from an hour on.</summary>
    public static string Format(TimeSpan span) =>
        span.TotalHours >= 1 ? $"{(long)span.TotalHours}:{span.Minutes:00}:{span.Seconds:00}" : $"{span.Minutes}:{span.Seconds:00}";
}
