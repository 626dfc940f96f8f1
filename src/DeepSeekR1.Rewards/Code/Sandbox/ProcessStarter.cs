using System.Collections.Concurrent;
using System.Diagnostics;

namespace DeepSeekR1.Rewards;

/// <summary>
/// Starts processes on one thread that lives as long as the program: Linux ends a child that asked for it when the thread that started it
/// ends, and threads of the pool come and go.
/// </summary>
internal static class ProcessStarter
{
    private static readonly BlockingCollection<Action> _work = [];

    static ProcessStarter() => new Thread(() =>
    {
        foreach (var start in _work.GetConsumingEnumerable()) start();
    })
    { IsBackground = true, Name = "sandbox starter" }.Start();

    public static Task<Process> StartAsync(ProcessStartInfo info)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(info)!);
            }
            catch (Exception failure)
            {
                started.SetException(failure);
            }
        });
        return started.Task;
    }
}
