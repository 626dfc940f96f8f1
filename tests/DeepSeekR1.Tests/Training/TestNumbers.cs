using DeepSeekR1.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

/// <summary>Repeatable random tensors in double precision.</summary>
internal static class TestNumbers
{
    public static Tensor Normal(int stream, params long[] shape)
    {
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        new AddressedRandom(20, RandomPurpose.Verification).Stream(stream).Normal(values, 1);
        return tensor(values).to(ScalarType.Float64).view(shape);
    }
}
