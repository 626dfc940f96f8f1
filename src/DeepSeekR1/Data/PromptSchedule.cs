using DeepSeekR1.Runtime;

namespace DeepSeekR1.Data;

/// <summary>
/// A cursor over a data set: every epoch has a random order of its own, a pure function of the seed and the epoch, so that the whole
/// state is one number, and a run that goes on from it sees the rows it would have seen.
/// </summary>
public sealed class PromptSchedule
{
    private readonly AddressedRandom _random;
    private long _permutedEpoch = -1;
    private int[] _permutation = [];

    /// <summary>A schedule over so many rows.</summary>
    /// <param name="count">Rows of the data set.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="position">Rows already drawn, from a saved <see cref="Position"/>.</param>
    /// <exception cref="R1Exception">There are no rows.</exception>
    public PromptSchedule(int count, ulong seed, long position = 0)
    {
        if (count < 1) throw new R1Exception("The data set has no rows to draw from.");
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        Count = count;
        Position = position;
        _random = new AddressedRandom(seed, RandomPurpose.Order);
    }

    /// <summary>Rows of the data set.</summary>
    public int Count { get; }

    /// <summary>Rows drawn so far: all that need be saved.</summary>
    public long Position { get; private set; }

    /// <summary>Passes over the data set so far, as a fraction.</summary>
    public double Epoch => (double)Position / Count;

    /// <summary>Index of the next row.</summary>
    public int Next() => IndexAt(Position++);

    /// <summary>Index of the row that is drawn at a position, from 0; the cursor stays.</summary>
    public int IndexAt(long position)
    {
        var (epoch, place) = Math.DivRem(position, Count);
        if (epoch != _permutedEpoch) (_permutation, _permutedEpoch) = (_random.Permutation(Count, checked((int)epoch)), epoch);
        return _permutation[place];
    }

    /// <summary>Indices of the next rows; none twice as long as an epoch lasts.</summary>
    public int[] Next(int rows)
    {
        var indices = new int[rows];
        for (int i = 0; i < rows; i++) indices[i] = Next();
        return indices;
    }
}
