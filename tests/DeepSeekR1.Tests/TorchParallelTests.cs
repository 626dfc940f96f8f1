using DeepSeekR1.Runtime;
using TorchSharp;

namespace DeepSeekR1.Tests;

public sealed class TorchParallelTests : IDisposable
{
    private readonly int _threads = torch.get_num_threads();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Every_part_is_done_once(int threads)
    {
        torch.set_num_threads(threads);
        foreach (int parts in new[] { 0, 1, 2, 1000 })
        {
            int[] done = new int[parts];
            TorchParallel.For(parts, part => Interlocked.Increment(ref done[part]));
            Assert.All(done, count => Assert.Equal(1, count));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_failure_is_thrown_to_the_caller_and_the_threads_go_on(int threads)
    {
        torch.set_num_threads(threads);
        Assert.Equal("part 7", Assert.Throws<InvalidOperationException>(() => TorchParallel.For(50, part =>
        {
            if (part == 7) throw new InvalidOperationException($"part {part}");
        })).Message);
        int sum = 0;
        TorchParallel.For(100, part => Interlocked.Add(ref sum, part));
        Assert.Equal(4950, sum);
    }

    public void Dispose() => torch.set_num_threads(_threads);
}
