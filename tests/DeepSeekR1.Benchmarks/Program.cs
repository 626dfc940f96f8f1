using DeepSeekR1;
using DeepSeekR1.Benchmarks;
using DeepSeekR1.Benchmarks.Checkpoints;
using DeepSeekR1.Benchmarks.Recipes;
using DeepSeekR1.Benchmarks.Rewards;
using DeepSeekR1.Benchmarks.Rollouts;
using DeepSeekR1.Benchmarks.Survival;
using DeepSeekR1.Benchmarks.Training;

var commands = new Dictionary<string, (string Summary, Func<string[], Task> Run)>
{
    ["compare"] = ("rollouts and training beside the machine's peaks; [--quick] [--threads N] [--llama-bench PATH]", args => Synchronous(CompareBenchmark.Run, args)),
    ["products"] = ("matrix products of the decoder and of LibTorch; [--threads N]", args => Synchronous(ProductBenchmark.Run, args)),
    ["rollouts"] = ("tokens a second of the decoders; [--quick] [--threads N] [--model mini|smollm2|qwen2.5] [--llama-bench PATH]", args => Synchronous(RolloutBenchmark.Run, args)),
    ["scaling"] = ("tokens a second of rollouts by their length, bytes of the cache, and what one long sequence costs; [--threads N]", args => Synchronous(ScalingBenchmark.Run, args)),
    ["training"] = ("optimizer steps, or whole GRPO steps, beside eager mode; [--threads N] [--runs N] [--step supervised|policy|PROMPTS]", args => Synchronous(TrainingBenchmark.Run, args)),
    ["memory"] = ("memory of a training step at a vocabulary of 49,152 beside the naive way, and with layers computed twice; [--threads N]", args => Synchronous(MemoryBenchmark.Run, args)),
    ["overlap"] = ("sampling and scoring of a step, groups scored while others are sampled or afterwards; [--model DIR] [--data FILE] [--threads N] [--runs N]", args => Synchronous(OverlapBenchmark.Run, args)),
    ["bitwise"] = ("an update of GRPO in bitwise mode beside a usual one; [--threads N]", args => Synchronous(BitwiseBenchmark.Run, args)),
    ["optimizers"] = ("seconds of an optimizer's step and bytes of its moments; [--threads N]", args => Synchronous(OptimizerBenchmark.Run, args)),
    ["load"] = ("memory and seconds of loading a model; [FOLDER]", args => Synchronous(LoadBenchmark.Run, args)),
    ["fuzz"] = ("damaged headers of SafeTensors files; [FILE] [--mutations N]", args => Synchronous(FuzzBenchmark.Run, args)),
    ["tokenizer"] = ("megabytes of GSM8K encoded a second, on one core; [FOLDER]...", args => Synchronous(TokenizerBenchmark.Run, args)),
    ["startup"] = ("seconds from process start to the first token and to the first training step; [--r1 PATH] [--model DIR] [--runs N]", args => Synchronous(StartupBenchmark.Run, args)),
    ["equivalence"] = ("pairs of mathematical answers judged a second, by kind; [FILE of pairs]", args => Synchronous(EquivalenceBenchmark.Run, args)),
    ["sandbox"] = ("milliseconds that a boxed program costs beside a bare one", SandboxBenchmark.RunAsync),
    ["kill"] = ("a run of every stage killed again and again, compared with one left alone; [--kills N] [--seed N] [--work DIR]", KillBenchmark.RunAsync),
    ["mini"] = ("the embedded recipe on several bases and seeds; [--work DIR] [--report FILE] [--bases 1,2,3] [--seeds 1,2,3,4,5]", MiniBenchmark.RunAsync),
};
if (args.Length == 0 || !commands.TryGetValue(args[0], out var command))
{
    Console.WriteLine("usage: DeepSeekR1.Benchmarks COMMAND");
    foreach (var (name, (summary, _)) in commands) Console.WriteLine($"  {name,-11} {summary}");
    return args.Length == 0 ? 0 : 2;
}
try
{
    await command.Run(args[1..]);
    return Bar.IsMissed ? 1 : 0;
}
catch (R1Exception failure)
{
    Console.Error.WriteLine($"error: {failure.Message}");
    return 2;
}

static Task Synchronous(Action<string[]> run, string[] args)
{
    run(args);
    return Task.CompletedTask;
}
