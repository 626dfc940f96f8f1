using System.Collections.Concurrent;

namespace DeepSeekR1.Runtime;

/// <summary>
/// Runs an asynchronous function so that all its continuations come back to one thread. LibTorch's thread count, gradient mode and
/// TorchSharp's dispose scopes belong to a thread, and OpenMP keeps a pool of workers for each thread that ever computed: a run that
/// wanders over the thread pool loses the former and multiplies the latter.
/// </summary>
public static class ComputeThread
{
    /// <summary>Runs the function on a new thread of its own and completes with its result.</summary>
    /// <param name="runtime">Its thread count is bound to the thread; null where no tensor is involved.</param>
    /// <param name="function">The work. It must not use <c>ConfigureAwait(false)</c> around tensors.</param>
    public static Task<T> RunAsync<T>(TorchRuntime? runtime, Func<Task<T>> function)
    {
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => Loop(runtime, function, completion)) { Name = "r1 compute", IsBackground = true };
        thread.Start();
        return completion.Task;
    }

    private static void Loop<T>(TorchRuntime? runtime, Func<Task<T>> function, TaskCompletionSource<T> completion)
    {
        using var context = new QueueContext();
        SynchronizationContext.SetSynchronizationContext(context);
        runtime?.BindThread();
        var work = Invoke(function);
        work.ContinueWith(_ => context.Complete(), TaskScheduler.Default);
        context.Drain();
        completion.SetFromTask(work);
    }

    private static async Task<T> Invoke<T>(Func<Task<T>> function) => await function();

    private sealed class QueueContext : SynchronizationContext, IDisposable
    {
        private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _queue = [];

        public override void Post(SendOrPostCallback d, object? state) => _queue.Add((d, state));

        public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("the compute thread is never waited for");

        public override SynchronizationContext CreateCopy() => this;

        public void Complete() => _queue.CompleteAdding();

        public void Drain()
        {
            foreach (var (callback, state) in _queue.GetConsumingEnumerable()) callback(state);
        }

        public void Dispose() => _queue.Dispose();
    }
}
