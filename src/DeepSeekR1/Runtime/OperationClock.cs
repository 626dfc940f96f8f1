using System.Diagnostics;

namespace DeepSeekR1.Runtime;

/// <summary>What the time of a step should go to.</summary>
internal enum Operation
{
    Products,
    Attention,
}

/// <summary>
/// Books the time of operations while a profile is made of the process; otherwise costs a look at a flag. Several threads that work on one
/// operation book its time in equal parts.
/// </summary>
internal static class OperationClock
{
    private static readonly long[] _ticks = new long[Enum.GetValues<Operation>().Length];

    private static int _readers;

    /// <summary>Whether somebody reads the clock.</summary>
    public static bool IsRunning => Volatile.Read(ref _readers) > 0;

    /// <summary>The beginning of an operation.</summary>
    public static long Start() => IsRunning ? Stopwatch.GetTimestamp() : 0;

    /// <summary>The end of an operation.</summary>
    /// <param name="operation">Which.</param>
    /// <param name="start">What <see cref="Start"/> returned.</param>
    /// <param name="threads">That work on it together, each with a booking of its own.</param>
    public static void Stop(Operation operation, long start, int threads = 1)
    {
        if (start != 0) Interlocked.Add(ref _ticks[(int)operation], (Stopwatch.GetTimestamp() - start) / threads);
    }

    /// <summary>Starts to book, until it is disposed.</summary>
    public static Reading Read() => new();

    /// <summary>What was booked since it began.</summary>
    public sealed class Reading : IDisposable
    {
        private readonly long[] _before = [.. _ticks];
        private int _isOpen = 1;

        public Reading() => Interlocked.Increment(ref _readers);

        /// <summary>Seconds of each operation, by its name in small letters.</summary>
        public OrderedDictionary<string, double> Seconds() => new(Enum.GetValues<Operation>().Select(operation => KeyValuePair.Create(operation.ToString().ToLowerInvariant(), (Volatile.Read(ref _ticks[(int)operation]) - _before[(int)operation]) / (double)Stopwatch.Frequency)));

        /// <summary>Ends the booking, once.</summary>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isOpen, 0) != 0) Interlocked.Decrement(ref _readers);
        }
    }
}
