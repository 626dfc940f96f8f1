using DeepSeekR1.Runtime;

namespace DeepSeekR1.Tests;

public class ComputeThreadTests
{
    [Fact]
    public async Task Continuations_come_back_to_the_same_thread()
    {
        int[] threads = await ComputeThread.RunAsync(null, async () =>
        {
            int first = Environment.CurrentManagedThreadId;
            await Task.Yield();
            int second = Environment.CurrentManagedThreadId;
            await Task.Run(() => { }, TestContext.Current.CancellationToken);
            return new[] { first, second, Environment.CurrentManagedThreadId };
        });
        Assert.Single(threads.Distinct());
        Assert.NotEqual(Environment.CurrentManagedThreadId, threads[0]);
    }

    [Fact]
    public async Task Exceptions_and_cancellation_reach_the_caller()
    {
        await Assert.ThrowsAsync<R1Exception>(() => ComputeThread.RunAsync<int>(null, () => throw new R1Exception("told")));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ComputeThread.RunAsync<int>(null, async () =>
        {
            await Task.Yield();
            throw new OperationCanceledException();
        }));
    }
}
