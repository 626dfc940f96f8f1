namespace DeepSeekR1.Training;

/// <summary>Tells where the time of a step goes: each mark books the time since the one before. Measures; decides nothing.</summary>
internal sealed class PhaseClock(TimeProvider time)
{
    private readonly OrderedDictionary<string, double> _seconds = [];
    private long _last = time.GetTimestamp();

    /// <summary>Seconds by phase, in the order of their first mark.</summary>
    public IReadOnlyDictionary<string, double> Seconds => _seconds;

    /// <summary>The phase that ends now.</summary>
    public void Mark(string phase)
    {
        long now = time.GetTimestamp();
        _seconds[phase] = _seconds.GetValueOrDefault(phase) + time.GetElapsedTime(_last, now).TotalSeconds;
        _last = now;
    }
}
