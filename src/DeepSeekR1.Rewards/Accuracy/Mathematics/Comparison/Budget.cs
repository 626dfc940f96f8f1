namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>How much arithmetic one comparison may still do; what does not fit in is not judged.</summary>
internal sealed class Budget(int units)
{
    private int _left = units;

    public bool IsExhausted => _left < 0;

    /// <summary>False when the budget is used up.</summary>
    /// <param name="units">About 0.1 µs each.</param>
    public bool Spend(long units)
    {
        _left = (int)Math.Max(_left - Math.Min(units, int.MaxValue / 2), -1);
        return !IsExhausted;
    }
}
