namespace DeepSeekR1.Data.World;

/// <summary>A dial's starting position and its turns, one a month.</summary>
/// <param name="start">The starting position.</param>
/// <param name="turns">The turns in order; positive forward, negative back, never 0.</param>
public sealed class Chain(int start, IReadOnlyList<int> turns)
{
    /// <summary>The starting position.</summary>
    public int Start { get; } = start;

    /// <summary>The turns in order; positive forward, negative back, never 0.</summary>
    public IReadOnlyList<int> Turns { get; } = turns;

    /// <summary>Number of turns.</summary>
    public int Length => Turns.Count;

    /// <summary>Where a dial of so many positions stands after each turn: [turns].</summary>
    public int[] Positions(int dialPositions)
    {
        var positions = new int[Length];
        int position = Start;
        for (int i = 0; i < Length; i++)
            positions[i] = position = Wrap(position + Turns[i], dialPositions);
        return positions;
    }

    /// <summary>The turns at the given places only, from the same start.</summary>
    internal Chain Keeping(Func<int, bool> isKept) => new(Start, [.. Turns.Where((_, i) => isKept(i))]);

    internal static int Wrap(int value, int dialPositions)
    {
        int remainder = value % dialPositions;
        return remainder < 0 ? remainder + dialPositions : remainder;
    }
}
