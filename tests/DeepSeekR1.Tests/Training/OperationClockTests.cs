using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

/// <summary>Profiles look at a process as a whole; other tests of one must not run beside these.</summary>
[Collection(nameof(OperationClockTests))]
[CollectionDefinition(nameof(OperationClockTests), DisableParallelization = true)]
public class OperationClockTests
{
    [Theory]
    [InlineData(ScalarType.Float32, false)]
    [InlineData(ScalarType.BFloat16, true)]
    public void A_profile_does_not_change_a_bit_of_the_gradient(ScalarType dtype, bool hasBias)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(Gradients(), Profiled());

        float[] Profiled()
        {
            using var reading = OperationClock.Read();
            float[] gradients = Gradients();
            Assert.True(reading.Seconds()["products"] > 0);
            return gradients;
        }

        float[] Gradients()
        {
            using var weight = new TorchSharp.Modules.Parameter(TestNumbers.Normal(1, 48, 64).to(dtype));
            using var bias = hasBias ? new TorchSharp.Modules.Parameter(TestNumbers.Normal(2, 48).to(dtype)) : null;
            var x = TestNumbers.Normal(3, 2, 40, 64).to(dtype).requires_grad_();
            var y = new Linear(weight, bias).Forward(x);
            y.backward([TestNumbers.Normal(4, y.shape).to(dtype)]);
            return [.. new[] { y, x.grad!, weight.grad!, bias?.grad }.OfType<Tensor>().SelectMany(tensor => tensor.to(ScalarType.Float32).data<float>().ToArray())];
        }
    }

    [Fact]
    public void Books_only_while_it_is_read()
    {
        Assert.Equal(0, OperationClock.Start());
        using var reading = OperationClock.Read();
        OperationClock.Stop(Operation.Attention, OperationClock.Start(), threads: 2);
        Assert.NotEqual(0, OperationClock.Start());
        reading.Dispose();
        Assert.False(OperationClock.IsRunning);
        var booked = reading.Seconds();
        Assert.True(booked["attention"] > 0);
        OperationClock.Stop(Operation.Attention, OperationClock.Start());
        Assert.Equal(booked, reading.Seconds());
        Assert.Equal(0, booked["products"]);
    }
}
