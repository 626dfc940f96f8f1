using System.Diagnostics;
using System.Globalization;
using DeepSeekR1.Benchmarks.Rollouts;
using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using DeepSeekR1.Training;
using static TorchSharp.torch;

namespace DeepSeekR1.Benchmarks.Training;

/// <summary>
/// Memory of forward and backward beyond weights and optimizer, at SmolLM2's dimensions (vocabulary 49,152): logits in chunks, all at once (the
/// naive way), and layers computed twice; then of the head alone, for more tokens. <c>[--threads N]</c>.
/// </summary>
internal static class MemoryBenchmark
{
    private const int Sequences = 8, Length = 256, TokensOfHead = 4096;

    private static readonly string[] _parts =
    [
        $"a step of {Sequences} x {Length} tokens, logits in chunks", "all logits at once, by autograd", "logits in chunks, layers computed twice",
        $"the head alone, {TokensOfHead} tokens, in chunks", "all at once, by autograd",
    ];

    public static void Run(string[] args)
    {
        if (Options.Text(args, "--part") is { } part)
        {
            int index = int.Parse(part, CultureInfo.InvariantCulture);
            Console.WriteLine(index < 3 ? MeasureStep(index, Options.Threads(args)) : MeasureHead(inChunks: index == 3, Options.Threads(args)));
            return;
        }
        // Each in a process of its own: memory that was freed is not always given back.
        double[] megabytes = [.. Enumerable.Range(0, _parts.Length).Select(i => MeasureApart(i, args))];
        Bar.AtMost("chunked beside naive", megabytes[0] / megabytes[1], 0.75, "×");
        Bar.AtMost("layers computed twice beside once", megabytes[2] / megabytes[0], 0.5, "×");
        Bar.AtMost("both beside naive", megabytes[2] / megabytes[1], 0.35, "×");
        Bar.AtMost("the head alone, chunked beside naive", megabytes[3] / megabytes[4], 0.15, "×");
    }

    private static double MeasureApart(int part, string[] args)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["memory", "--part", part.ToString(CultureInfo.InvariantCulture), .. args]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        long bytes = long.Parse(process.StandardOutput.ReadToEnd(), CultureInfo.InvariantCulture);
        process.WaitForExit();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_parts[part]}: {bytes / 1e6:#,0} MB"));
        return bytes / 1e6;
    }

    /// <summary>Bytes at the peak of a step beyond what was there before it.</summary>
    private static long MeasureStep(int part, int threads)
    {
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Dtype = DtypeChoice.Float32, Threads = threads });
        using var model = CausalLM.Create(Shapes.SmolLm2, runtime, new AddressedRandom(1, RandomPurpose.Weights));
        using var optimizer = Optimizer.For(model, new OptimizerConfig());
        var update = new SftUpdate(model, optimizer, new SftLossConfig(), new BatchConfig());
        SftSample[] samples = [.. Enumerable.Range(0, Sequences).Select(row => new SftSample { Ids = IdsOf(row), IsLabel = Enumerable.Repeat(true, Length).ToArray() })];
        update.Step([new SftSample { Ids = IdsOf(0).AsMemory(0, 8), IsLabel = Enumerable.Repeat(true, 8).ToArray() }], 1e-5);
        model.GradientCheckpointing = part == 2;
        GC.Collect();
        ProcessMemory.ForgetPeak();
        long before = ProcessMemory.Resident;
        if (part == 1) NaiveStep(model, optimizer, samples);
        else update.Step(samples, 1e-5);
        return ProcessMemory.Peak - before;
    }

    /// <summary>Bytes at the peak of log-probabilities and their gradient beyond hidden states, head and the head's gradient.</summary>
    private static long MeasureHead(bool inChunks, int threads)
    {
        TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = threads });
        using var scope = NewDisposeScope();
        var head = randn(Shapes.SmolLm2.VocabularySize, Shapes.SmolLm2.HiddenSize).mul_(0.05).requires_grad_();
        var hidden = randn(TokensOfHead, Shapes.SmolLm2.HiddenSize).requires_grad_();
        var targets = arange(TokensOfHead, ScalarType.Int64);
        head.grad = zeros_like(head);
        ProcessMemory.ForgetPeak();
        long before = ProcessMemory.Resident;
        if (inChunks)
        {
            using var scores = new TokenLogProbs(hidden, head, targets, temperature: 1);
            scores.Backward(ones_like(scores.LogProbs), null, head.grad);
        }
        else
        {
            nn.functional.log_softmax(nn.functional.linear(hidden, head), 1).gather(1, targets.unsqueeze(1)).sum().backward();
        }
        return ProcessMemory.Peak - before;
    }

    private static int[] IdsOf(int row)
    {
        var stream = new AddressedRandom(1, RandomPurpose.Verification).Stream(sample: row);
        return [.. Enumerable.Range(0, Length).Select(_ => stream.Next(Shapes.SmolLm2.VocabularySize))];
    }

    private static void NaiveStep(CausalLM model, IOptimizer optimizer, SftSample[] samples)
    {
        using var scope = NewDisposeScope();
        optimizer.ZeroGradient();
        var ids = tensor(samples.SelectMany(sample => sample.Ids.ToArray()).Select(id => (long)id).ToArray()).view(Sequences, Length);
        var logits = model.Logits(model.Hidden(ids.narrow(1, 0, Length - 1)));
        nn.functional.cross_entropy(logits.reshape(-1, logits.shape[^1]), ids.narrow(1, 1, Length - 1).reshape(-1)).backward();
        optimizer.CollectGradient();
        optimizer.Step(1e-5);
    }
}
