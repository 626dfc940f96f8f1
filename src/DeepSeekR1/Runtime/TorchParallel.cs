using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace DeepSeekR1.Runtime;

/// <summary>
/// Runs parts of our own work on the threads of LibTorch. Those wait actively for a while after each of its operations; threads of our
/// own beside them would share the cores with that waiting.
/// </summary>
internal static unsafe partial class TorchParallel
{
    private static readonly bool _isPresent = NativeLibrary.TryLoad("torch_cpu", typeof(TorchParallel).Assembly, null, out nint library)
        && NativeLibrary.TryGetExport(library, "torch_parallel_for", out _);

    /// <summary>
    /// Calls the job once for each part; parts are dealt out to whoever is free. What a part writes must be its own, so that results do
    /// not depend on the number of threads. The first failure is thrown here.
    /// </summary>
    /// <param name="parts">How many.</param>
    /// <param name="job">Gets the part's number. Opens no tensor.</param>
    public static void For(int parts, Action<int> job)
    {
        int threads = Math.Min(parts, get_num_threads());
        if (threads <= 1 || !_isPresent)
        {
            for (int part = 0; part < parts; part++) job(part);
            return;
        }
        var work = new Work(parts, job);
        var handle = GCHandle.Alloc(work);
        int error = ParallelFor(0, threads, 1, &Help, (void*)GCHandle.ToIntPtr(handle));
        handle.Free();
        work.ThrowFailure();
        if (error != 0) throw new InvalidOperationException("LibTorch could not run a parallel loop.");
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Help(long begin, long end, void* context) => ((Work)GCHandle.FromIntPtr((nint)context).Target!).Help();

    [LibraryImport("torch_cpu", EntryPoint = "torch_parallel_for")]
    private static partial int ParallelFor(long begin, long end, long grain, delegate* unmanaged[Cdecl]<long, long, void*, void> function, void* context);

    private sealed class Work(int parts, Action<int> job)
    {
        private int _taken;
        private ExceptionDispatchInfo? _failure;

        public void Help()
        {
            try
            {
                for (int part; (part = Interlocked.Increment(ref _taken) - 1) < parts;) job(part);
            }
#pragma warning disable CA1031 // No exception may pass through LibTorch; it is thrown again on the calling thread.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(failure), null);
            }
        }

        public void ThrowFailure() => _failure?.Throw();
    }
}
