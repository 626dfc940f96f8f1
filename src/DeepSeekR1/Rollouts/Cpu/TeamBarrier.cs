namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>A point that all members of a team reach before any goes on.</summary>
internal sealed class TeamBarrier(int members)
{
    private readonly Signal _phase = new();
    private int _arrived;
    private volatile bool _isBroken;

    /// <exception cref="OperationCanceledException">A member failed and will never arrive.</exception>
    public void Wait()
    {
        // The phase first: whoever breaks the barrier says so before moving the phase on.
        int phase = _phase.Value;
        ThrowIfBroken();
        if (Interlocked.Increment(ref _arrived) == members)
        {
            _arrived = 0;
            _phase.Advance();
        }
        else _phase.WaitWhile(phase);
        ThrowIfBroken();
    }

    /// <summary>Sends everybody home who waits or will.</summary>
    public void Break()
    {
        _isBroken = true;
        _phase.Advance();
    }

    private void ThrowIfBroken()
    {
        if (_isBroken) throw new OperationCanceledException("another worker failed");
    }
}

/// <summary>One member's view of those it works with: its number, how many they are, and where they meet.</summary>
internal readonly record struct Team(int Member, int Size, TeamBarrier? Barrier)
{
    /// <summary>A worker with a job of its own.</summary>
    public static Team Alone { get; } = new(0, 1, null);

    /// <summary>Waits until all have done what comes before.</summary>
    public void Meet() => Barrier?.Wait();

    /// <summary>This member's share of 0 … count-1.</summary>
    public (int First, int End) Share(int count) => ((int)((long)count * Member / Size), (int)((long)count * (Member + 1) / Size));
}
