namespace DeepSeekR1.Tests;

/// <summary>Collects garbage without a pause while something runs, so that an object that LibTorch reads but nothing holds is freed under it.</summary>
internal static class GarbagePressure
{
    public static void During(Action action)
    {
        using var done = new CancellationTokenSource();
        var collector = new Thread(() =>
        {
            while (!done.IsCancellationRequested)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        })
        { IsBackground = true };
        collector.Start();
        try
        {
            action();
        }
        finally
        {
            done.Cancel();
            collector.Join();
        }
    }
}
