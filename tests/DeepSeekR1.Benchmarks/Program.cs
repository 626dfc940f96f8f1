using DeepSeekR1.Benchmarks.Rollouts;
using DeepSeekR1.Benchmarks.Training;

var commands = new Dictionary<string, (string Summary, Action<string[]> Run)>
{
    ["rollouts"] = ("tokens a second of the decoders; [--quick] [--model mini|smollm2]", RolloutBenchmark.Run),
    ["training"] = ("tokens a second of a training step, and where the time goes", TrainingBenchmark.Run),
};
if (args.Length == 0 || !commands.TryGetValue(args[0], out var command))
{
    Console.WriteLine("usage: DeepSeekR1.Benchmarks COMMAND");
    foreach (var (name, (summary, _)) in commands) Console.WriteLine($"  {name,-10} {summary}");
    return args.Length == 0 ? 0 : 2;
}
command.Run(args[1..]);
return 0;
