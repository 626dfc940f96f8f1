using System.Runtime.InteropServices;
using DeepSeekR1.Runtime;
using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

/// <summary>What happens when memory runs out in a micro-batch: a GPU halves it and goes on, the CPU ends with advice.</summary>
public class MemoryBudgetTests
{
    private const string CudaMessage = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.15 GiB of which 1.02 GiB is free.";

    [Theory]
    [InlineData(600)]
    [InlineData(160)]
    public void A_halved_micro_batch_gives_the_same_gradient(int largestThatFits)
    {
        using var policy = TinyPolicy.Create(ScalarType.Float64);
        using var optimizer = AdamW.For(policy, new OptimizerConfig());
        var samples = TinyPolicy.Samples(80);
        var update = new TokenGradient(policy, 1, new BatchConfig());
        (double[] Gradient, int Tokens, double Loss) Pass(MemoryBudget memory, int limit)
        {
            using var scope = NewDisposeScope();
            var (metrics, tokens) = OptimizerStep.Gradient(samples, memory, optimizer, policy, (batch, metrics) =>
            {
                // Fails when its gradient is already in the buffer: nothing of it may stay.
                update.Accumulate(batch, (_, logProbs, _) =>
                {
                    var loss = logProbs.square().sum();
                    metrics.Sum("loss", loss);
                    metrics.Collect();
                    return loss;
                });
                if (batch.Ids.numel() > limit) throw new MemoryFailure(CudaMessage);
            });
            return (policy.Parameters.Values.SelectMany(weights => weights.grad!.to(ScalarType.Float64).flatten().data<double>().ToArray()).ToArray(), tokens, metrics.Results()["loss"]);
        }
        var expected = Pass(new MemoryBudget(new BatchConfig { TokensPerMicroBatch = 1200 }, canHalve: true), int.MaxValue);
        var memory = new MemoryBudget(new BatchConfig { TokensPerMicroBatch = 1200 }, canHalve: true);
        var actual = Pass(memory, largestThatFits);

        Assert.InRange(memory.Halvings, 1, 4);
        Assert.True(memory.Batching.TokensPerMicroBatch <= 2 * largestThatFits);
        Assert.Equal(expected.Tokens, actual.Tokens);
        Assert.Equal(expected.Loss, actual.Loss, 1e-12 * expected.Loss);
        double largest = expected.Gradient.Max(Math.Abs);
        Assert.All(expected.Gradient.Zip(actual.Gradient), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 1e-12 * largest));
        int before = memory.Halvings;
        Pass(memory, largestThatFits);
        Assert.Equal(before, memory.Halvings);
    }

    [Fact]
    public void On_the_cpu_the_message_says_what_to_lower()
    {
        var memory = new MemoryBudget(new BatchConfig { TokensPerMicroBatch = 512 }, CPU);
        var failure = Assert.Throws<R1Exception>(() => memory.Run<int>(_ => throw new MemoryFailure("DefaultCPUAllocator: can't allocate memory: you tried to allocate 68719476736 bytes.")));
        Assert.StartsWith("Memory ran out in a micro-batch of at most 512 tokens. Lower batching.tokensPerMicroBatch", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("a run goes on with --resume.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gpu_that_cannot_hold_the_smallest_micro_batch_ends_the_run_too()
    {
        int passes = 0;
        var memory = new MemoryBudget(new BatchConfig { TokensPerMicroBatch = 512 }, canHalve: true);
        Assert.Throws<R1Exception>(() => memory.Run<int>(_ =>
        {
            passes++;
            throw new MemoryFailure(CudaMessage);
        }));
        Assert.Equal(4, passes);
    }

    [Fact]
    public void What_LibTorch_says_is_understood_and_other_failures_pass()
    {
        var real = Assert.ThrowsAny<Exception>(() => empty([1L << 50], ScalarType.Float32));
        Assert.True(OutOfMemory.IsCauseOf(real), real.Message);
        Assert.False(OutOfMemory.IsCauseOf(new MemoryFailure("CUDA error: device-side assert triggered")));
        Assert.Throws<InvalidOperationException>(() => new MemoryBudget(new BatchConfig(), canHalve: true).Run<int>(_ => throw new InvalidOperationException()));
    }

    private sealed class MemoryFailure(string message) : ExternalException(message);
}
