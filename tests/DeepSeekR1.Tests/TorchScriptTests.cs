using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests;

public sealed class TorchScriptTests
{
    [Fact]
    public void Numbers_arrive_while_garbage_is_collected()
    {
        var script = new TorchScript("""
            def weigh(x, a: float, b: float, c: float, d: float):
                return x * a + x * b + x * c + x * d

            """);
        using var one = ones(1);
        GarbagePressure.During(() =>
        {
            for (int i = 0; i < 2000; i++)
            {
                using var sum = script.Invoke("weigh", one, 1.0, 20.0, 300.0, 4000.0);
                Assert.Equal(4321, sum.item<float>());
            }
        });
    }
}
