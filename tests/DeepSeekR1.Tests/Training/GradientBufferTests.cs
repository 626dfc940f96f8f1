using DeepSeekR1.Training;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

public sealed class GradientBufferTests
{
    // A number that is handed to LibTorch is an object of its own: collected during the call, LibTorch reads freed memory.
    [Fact]
    public void Gradients_of_lower_precision_are_added_exactly_while_garbage_is_collected()
    {
        using var scope = NewDisposeScope();
        var weights = zeros(2_000_000, dtype: ScalarType.BFloat16, requires_grad: true);
        using var buffer = new GradientBuffer([weights]);
        buffer.Zero();
        GarbagePressure.During(() =>
        {
            for (int i = 0; i < 200; i++)
            {
                weights.grad = ones_like(weights);
                buffer.Collect();
            }
        });
        Assert.Equal(200, buffer.Views[0].min().item<float>());
        Assert.Equal(200, buffer.Views[0].max().item<float>());
    }
}
