namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>A counter to wait on: a short while by spinning, as the parts of a decoding step take microseconds, then asleep.</summary>
internal sealed class Signal
{
    /// <summary>About 50 microseconds, the cost of falling asleep and being woken.</summary>
    private const int Spins = 2_000;

    private readonly object _gate = new();
    private int _value, _sleepers;

    public int Value => Volatile.Read(ref _value);

    public void Advance()
    {
        Interlocked.Increment(ref _value);
        if (Volatile.Read(ref _sleepers) == 0) return;
        lock (_gate) Monitor.PulseAll(_gate);
    }

    public void WaitWhile(int value)
    {
        for (int spin = 0; spin < Spins; spin++)
        {
            if (Value != value) return;
            Thread.SpinWait(1);
        }
        lock (_gate)
        {
            // Either the advancing thread sees this sleeper, or this thread sees the new value: both operations are full fences.
            Interlocked.Increment(ref _sleepers);
            while (Value == value) Monitor.Wait(_gate);
            Interlocked.Decrement(ref _sleepers);
        }
    }
}
