using System.Globalization;
using DeepSeekR1.Benchmarks.Rollouts;
using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using DeepSeekR1.Training;
using static TorchSharp.torch;

namespace DeepSeekR1.Benchmarks.Training;

/// <summary>Tokens a second of a supervised step, and where the time goes, at SmolLM2-135M's dimensions with random weights.</summary>
internal static class TrainingBenchmark
{
    private const int Sequences = 4, Length = 256, Runs = 3;

    public static void Run(string[] args)
    {
        foreach (var dtype in new[] { DtypeChoice.Bfloat16, DtypeChoice.Float32 })
        {
            var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Dtype = dtype });
            using var model = CausalLM.Create(new ModelConfig
            {
                VocabularySize = 49152,
                HiddenSize = 576,
                IntermediateSize = 1536,
                Layers = 30,
                Heads = 9,
                KeyValueHeads = 3,
                MaxPositions = 8192,
                TieWordEmbeddings = true,
            }, runtime, new AddressedRandom(1, RandomPurpose.Weights));
            using var optimizer = Optimizer.For(model, new OptimizerConfig());
            var update = new SftUpdate(model, optimizer, new SftLossConfig(), new BatchConfig());
            var random = new AddressedRandom(1, RandomPurpose.Verification);
            SftSample[] samples = [.. Enumerable.Range(0, Sequences).Select(row =>
            {
                var stream = random.Stream(sample: row);
                return new SftSample { Ids = Enumerable.Range(0, Length).Select(_ => stream.Next(49152)).ToArray(), IsLabel = Enumerable.Repeat(true, Length).ToArray() };
            })];
            update.Step(samples, 1e-5);
            double seconds = Measure.Medians(Runs, () => Measure.Seconds(() => update.Step(samples, 1e-5)))[0];
            Print($"{dtype}: a step of {Sequences} x {Length} tokens takes {seconds:0.00} s, {Sequences * Length / seconds:0} tokens/s");
            Phases(model, optimizer);
        }
    }

    /// <summary>The parts of a step by themselves.</summary>
    private static void Phases(CausalLM model, IOptimizer optimizer)
    {
        using var scope = NewDisposeScope();
        var ids = randint(0, 49152, [Sequences, Length], ScalarType.Int64);
        optimizer.ZeroGradient();
        for (int run = 0; run < 2; run++)
        {
            Tensor hidden = null!;
            double forward = Measure.Seconds(() => hidden = model.Hidden(ids));
            var flat = hidden.view(-1, hidden.shape[^1]);
            TokenLogProbs scores = null!;
            double score = Measure.Seconds(() => scores = new TokenLogProbs(flat, model.Parameters["model.embed_tokens.weight"], ids.view(-1), 1));
            Tensor gradient = null!;
            var head = zeros_like(model.Parameters["model.embed_tokens.weight"]);
            double headBackward = Measure.Seconds(() => gradient = scores.Backward(ones_like(scores.LogProbs), null, head));
            double backward = Measure.Seconds(() => flat.backward([gradient]));
            double collect = Measure.Seconds(optimizer.CollectGradient);
            double step = Measure.Seconds(() => optimizer.Step(1e-5));
            scores.Dispose();
            if (run == 1) Print($"  body forward {forward:0.000} s, head forward {score:0.000}, head backward {headBackward:0.000}, body backward {backward:0.000}, collect {collect:0.000}, optimizer {step:0.000}");
        }
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
