using System.Globalization;
using DeepSeekR1.Benchmarks.Rollouts;
using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using DeepSeekR1.Training;

namespace DeepSeekR1.Benchmarks.Training;

/// <summary>Seconds of an optimizer's step and bytes of its state, at SmolLM2-135M's dimensions in bfloat16. <c>[--threads N]</c>.</summary>
internal static class OptimizerBenchmark
{
    private const int Runs = 5;

    private static readonly (string Name, OptimizerConfig Config)[] _optimizers =
        [("AdamW", new()), ("AdamW, moments of 8 bits", new() { StateBits = 8 }), ("Muon", new() { Kind = OptimizerKind.Muon })];

    public static void Run(string[] args)
    {
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Dtype = DtypeChoice.Bfloat16, Threads = Options.Threads(args) });
        using var model = CausalLM.Create(Shapes.SmolLm2, runtime, new AddressedRandom(1, RandomPurpose.Weights));
        IOptimizer[] optimizers = [.. _optimizers.Select(optimizer => Optimizer.For(model, optimizer.Config))];
        double[] seconds = Measure.Medians(Runs, [.. optimizers.Select<IOptimizer, Func<double>>(optimizer => () => Step(model, optimizer))]);
        long[] bytes = [.. optimizers.Select(optimizer =>
            optimizer.State.Where(state => !state.Key.StartsWith("master.", StringComparison.Ordinal)).Sum(state => state.Value.numel() * state.Value.element_size()))];
        foreach (var ((name, _), time, size) in _optimizers.Zip(seconds, bytes))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: a step {time:0.000} s, moments {size / 1e6:#,0} MB beside masters of {Weights(model) * 4 / 1e6:#,0} MB"));
        foreach (var optimizer in optimizers) optimizer.Dispose();
        Bar.AtMost("moments of 8 bits beside those of 32", (double)bytes[1] / bytes[0], 0.45, "×");
    }

    private static long Weights(CausalLM model) => model.Parameters.Values.Sum(parameter => parameter.numel());

    private static double Step(CausalLM model, IOptimizer optimizer)
    {
        optimizer.ZeroGradient();
        using (TorchSharp.torch.no_grad())
            foreach (var parameter in model.Parameters.Values) parameter.grad = TorchSharp.torch.full_like(parameter, 1e-3);
        optimizer.CollectGradient();
        return Measure.Seconds(() => optimizer.Step(1e-6));
    }
}
