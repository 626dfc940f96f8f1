using System.Runtime.ExceptionServices;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>
/// Threads that stay, one a core, and work with the calling thread, which is member 0. Work that needs all of them at once is run
/// together; parts that need nobody else are dealt out, so that a thread which the machine has given to others holds nobody up.
/// </summary>
internal sealed class WorkerPool : IDisposable
{
    private readonly Thread[] _threads;
    private readonly Signal _start = new();
    private volatile Work? _work;
    private volatile bool _isClosed;

    public WorkerPool(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        Size = size;
        _threads = new Thread[size - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int member = i + 1;
            _threads[i] = new Thread(() => Serve(member)) { IsBackground = true, Name = $"decoder {member}" };
            _threads[i].Start();
        }
    }

    /// <summary>Number of threads, the calling one included.</summary>
    public int Size { get; }

    /// <summary>Runs the job once on each thread, where they may meet, and returns when all are done; the first failure is thrown here.</summary>
    public void RunTogether(Action<Team> job)
    {
        var inside = new TeamBarrier(Size);
        // As many parts as threads: none takes a second one, because it waits inside the first for the others.
        Run(new Work(Size, (_, part) => job(new Team(part, Size, inside)), inside.Break));
    }

    /// <summary>Runs a job of several independent parts, told the member that does it and the part; the first failure is thrown here.</summary>
    public void RunParts(int parts, Action<int, int> job) => Run(new Work(parts, job, () => { }));

    public void Dispose()
    {
        _isClosed = true;
        _start.Advance();
        foreach (var thread in _threads) thread.Join();
    }

    private void Run(Work work)
    {
        _work = work;
        _start.Advance();
        work.Help(0);
        work.WaitUntilDone();
    }

    private void Serve(int member)
    {
        while (true)
        {
            int seen = _start.Value;
            if (_isClosed) return;
            _work?.Help(member);
            _start.WaitWhile(seen);
        }
    }

    /// <summary>Parts of one job, taken by whoever is free. Who comes late finds none left.</summary>
    private sealed class Work(int parts, Action<int, int> job, Action onFailure)
    {
        private readonly Signal _done = new();
        private int _taken;
        private ExceptionDispatchInfo? _failure;

        public void Help(int member)
        {
            while (Volatile.Read(ref _taken) < parts)
            {
                int part = Interlocked.Increment(ref _taken) - 1;
                if (part >= parts) return;
                try
                {
                    job(member, part);
                }
#pragma warning disable CA1031 // Whatever failed is thrown again on the calling thread.
                catch (Exception failure)
#pragma warning restore CA1031
                {
                    Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(failure), null);
                    onFailure();
                }
                _done.Advance();
            }
        }

        public void WaitUntilDone()
        {
            for (int done; (done = _done.Value) < parts;) _done.WaitWhile(done);
            _failure?.Throw();
        }
    }
}
