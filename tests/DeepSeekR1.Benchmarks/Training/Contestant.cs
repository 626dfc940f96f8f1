using System.Diagnostics;
using System.Globalization;
using DeepSeekR1.Benchmarks.Rollouts;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Benchmarks.Training;

/// <summary>
/// One side of a comparison in a process of its own, so that neither's memory, threads or settings of the heap touch the other's. It takes
/// a step whenever it is asked and says how many seconds it took.
/// </summary>
internal sealed class Contestant : IDisposable
{
    public const string Option = "--contestant";

    /// <summary>Names of the contestants: who, and in what precision.</summary>
    public const string Own = "own-bf16", EagerBfloat16 = "eager-bf16", EagerFloat32 = "eager-f32";

    /// <summary>TRL's defaults: weights in float32, products in bfloat16 (torch.autocast), layers computed again in the backward pass.</summary>
    public const string EagerDefaults = "trl-default";

    /// <summary>Before the number of prompts: a step that tells where its time goes.</summary>
    public const string Profiled = "profiled ";

    private readonly int _threads;
    private Process? _process;

    /// <summary>The process starts with its first step, so that who takes none needs no memory.</summary>
    public Contestant(string name, int threads) => (Name, _threads) = (name, threads);

    public string Name { get; }

    private Process Start()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["training", Option, Name, "--threads", _threads.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        return Process.Start(start)!;
    }

    /// <summary>Seconds of a step of this kind; further numbers as the contestant gives them.</summary>
    public double[] Take(string step)
    {
        _process ??= Start();
        _process.StandardInput.WriteLine(step);
        string line = _process.StandardOutput.ReadLine() ?? throw new R1Exception($"The contestant {Name} ended during a step '{step}'.");
        return [.. line.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
    }

    public void Dispose()
    {
        if (_process is null) return;
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>The contestant's side: steps by name until the input ends.</summary>
    public static void Serve(string name, int threads)
    {
        Func<string, double[]> take;
        if (name == Own)
        {
            var own = new OwnSteps(ScalarType.BFloat16, threads);
            take = step => step switch
            {
                "supervised" => [Measure.Seconds(() => own.Supervised(Workload.Sequences))],
                "policy" => [Measure.Seconds(() => own.Policy(Workload.Group, Workload.PromptLength))],
                _ when step.StartsWith(Profiled, StringComparison.Ordinal) => ProfiledStep(own, Workload.Prompts(step[Profiled.Length..])),
                _ => OwnStep(own, Workload.Prompts(step)),
            };
        }
        else
        {
            set_num_threads(threads);
            var eager = new EagerSteps(name == EagerBfloat16 ? ScalarType.BFloat16 : ScalarType.Float32, name == EagerFloat32 ? ScalarType.Float32 : ScalarType.BFloat16);
            bool isCheckpointed = name == EagerDefaults;
            take = step => step switch
            {
                "supervised" => [Measure.Seconds(() => eager.Supervised(Workload.Sequences))],
                "policy" => [Measure.Seconds(() => eager.Policy(Workload.Group, Workload.PromptLength, isCheckpointed))],
                _ => EagerStep(eager, Workload.Prompts(step), isCheckpointed),
            };
        }
        while (Console.ReadLine() is { } step) Console.WriteLine(string.Join(' ', take(step).Select(number => number.ToString(CultureInfo.InvariantCulture))));
    }

    /// <summary>Seconds of products, attention and sampling, and of the whole step.</summary>
    private static double[] ProfiledStep(OwnSteps own, int[][] prompts)
    {
        using var operations = OperationClock.Read();
        double seconds = OwnStep(own, prompts)[0];
        return [.. operations.Seconds().Values, own.SamplingSeconds, seconds];
    }

    /// <summary>Seconds of the whole step, of its rollouts, and of bringing the weights to the sampler.</summary>
    private static double[] OwnStep(OwnSteps own, int[][] prompts)
    {
        int[][] sequences = [];
        double rollouts = Measure.Seconds(() => sequences = own.Generate(prompts, Workload.GroupSize, Workload.NewTokens));
        double update = Measure.Seconds(() => own.Policy(sequences, Workload.PromptLength));
        return [rollouts + update, rollouts, own.SyncSeconds];
    }

    /// <summary>Seconds of the whole step, and of its rollouts.</summary>
    private static double[] EagerStep(EagerSteps eager, int[][] prompts, bool isCheckpointed)
    {
        int[][] sequences = [];
        double rollouts = Measure.Seconds(() => sequences = eager.Generate([.. prompts.SelectMany(prompt => Enumerable.Repeat(prompt, Workload.GroupSize))], Workload.NewTokens));
        double update = Measure.Seconds(() => eager.Policy(sequences, Workload.PromptLength, isCheckpointed));
        return [rollouts + update, rollouts];
    }
}
