using System.Runtime.ExceptionServices;

namespace DeepSeekR1.Runtime;

/// <summary>Work that begins at once on a thread of its own, while the one that began it does something else.</summary>
internal sealed class Aside<T>
{
    private readonly Thread _thread;
    private T? _result;
    private ExceptionDispatchInfo? _failure;

    public Aside(Func<T> work)
    {
        _thread = new Thread(() => Run(work)) { Name = "r1 aside", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Waits for the result, or throws what the work threw.</summary>
    public T Join()
    {
        _thread.Join();
        _failure?.Throw();
        return _result!;
    }

    private void Run(Func<T> work)
    {
        try
        {
            _result = work();
        }
        catch (Exception failure)
        {
            _failure = ExceptionDispatchInfo.Capture(failure);
        }
    }
}
