using System.Runtime.ExceptionServices;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>Threads that stay, one a core, and run the same function together. The calling thread is one of them.</summary>
internal sealed class WorkerPool : IDisposable
{
    private readonly Thread[] _threads;
    private readonly Signal _start = new();
    private readonly TeamBarrier _inside, _end;
    private Action<Team>? _job;
    private ExceptionDispatchInfo? _failure;

    public WorkerPool(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        Size = size;
        (_inside, _end) = (new(size), new(size));
        _threads = new Thread[size - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int member = i + 1;
            _threads[i] = new Thread(() => Work(member)) { IsBackground = true, Name = $"decoder {member}" };
            _threads[i].Start();
        }
    }

    /// <summary>Number of threads, the calling one included.</summary>
    public int Size { get; }

    /// <summary>Runs the job once on each thread and returns when all are done; the first failure is thrown here.</summary>
    public void Run(Action<Team> job)
    {
        _job = job;
        _start.Advance();
        RunMember(0);
        _end.Wait();
        if (Interlocked.Exchange(ref _failure, null) is not { } failure) return;
        _inside.Repair();
        failure.Throw();
    }

    public void Dispose()
    {
        _job = null;
        _start.Advance();
        foreach (var thread in _threads) thread.Join();
    }

    private void Work(int member)
    {
        for (int round = 0; ; round++)
        {
            _start.WaitWhile(round);
            if (_job is null) return;
            RunMember(member);
            _end.Wait();
        }
    }

    private void RunMember(int member)
    {
        try
        {
            _job!(new Team(member, Size, _inside));
        }
#pragma warning disable CA1031 // Whatever failed is thrown again on the calling thread.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(failure), null);
            _inside.Break();
        }
    }
}
