using DeepSeekR1.Models;
using DeepSeekR1.Training;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

/// <summary>Few tokens, or a small rank, take other ways through LibTorch's products; the bits must not show it.</summary>
public class StableProductTests
{
    private const int Hidden = 64, Vocabulary = 270;

    [Fact]
    public void Scores_of_few_tokens_depend_neither_on_threads_nor_on_alignment()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        for (int tokens = 1; tokens <= Kernels.StableRows + 1; tokens++)
        {
            Tensor hidden = randn([tokens, Hidden], generator: generator), head = randn([Vocabulary, Hidden], generator: generator);
            var targets = arange(tokens, ScalarType.Int64);
            byte[] Bits(int threads, int offset)
            {
                set_num_threads(threads);
                var gradient = zeros_like(head);
                using var scores = new TokenLogProbs(Moved(hidden, offset), Moved(head, offset), targets, 1.0);
                return [.. Bytes(scores.LogProbs), .. Bytes(scores.Backward(ones(tokens), null, gradient)), .. Bytes(gradient)];
            }
            byte[] expected = Bits(1, 0);
            Assert.Equal(expected, Bits(2, 0));
            Assert.Equal(expected, Bits(1, 1));
            Assert.Equal(expected, Bits(2, 4));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(8)]
    public void An_adapter_of_small_rank_depends_neither_on_threads_nor_on_alignment(int rank)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        Tensor x = randn([3, 40, Hidden], generator: generator), a = randn([rank, Hidden], generator: generator), b = randn([Hidden, rank], generator: generator);
        using TorchSharp.Scalar scale = 0.5;
        byte[] Bits(int threads, int offset)
        {
            set_num_threads(threads);
            using TorchSharp.Modules.Parameter down = new(Moved(a, offset)), up = new(Moved(b, offset));
            var y = new LoraDelta(down, up, scale).Forward(Moved(x, offset));
            y.sum().backward();
            return [.. Bytes(y), .. Bytes(down.grad!), .. Bytes(up.grad!)];
        }
        byte[] expected = Bits(1, 0);
        Assert.Equal(expected, Bits(2, 0));
        Assert.Equal(expected, Bits(1, 1));
        Assert.Equal(expected, Bits(2, 4));
    }

    /// <summary>The same numbers so many floats away from where the allocator begins a tensor.</summary>
    private static Tensor Moved(Tensor x, int offset)
    {
        var moved = zeros(x.numel() + offset).narrow(0, offset, x.numel()).view(x.shape);
        return moved.copy_(x);
    }

    private static byte[] Bytes(Tensor x) => x.detach().contiguous().bytes.ToArray();
}
