using System.Globalization;
using System.Text.Json;
using DeepSeekR1.Benchmarks.Rollouts;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Training;

namespace DeepSeekR1.Benchmarks.Training;

/// <summary>
/// What it gains that a group is scored while others are sampled: sampling and scoring of a step of SmolLM2 on MBPP, as they are and with
/// every verdict held back until the last token is drawn. <c>[--model DIR] [--data FILE] [--threads N] [--runs N]</c>.
/// </summary>
internal static class OverlapBenchmark
{
    private static readonly TimeSpan _latency = TimeSpan.FromMilliseconds(250);

    private static readonly GrpoConfig _config = new() { PromptsPerStep = 8, GroupSize = 4, Sampling = new SamplingConfig { MaxNewTokens = 96 } };

    public static void Run(string[] args)
    {
        string model = Options.Text(args, "--model") ?? Path.Combine("..", "shared", "models", "smollm2-135m-instruct");
        string data = Options.Text(args, "--data") ?? Path.Combine("..", "shared", "data", "mbpp_sanitized.jsonl");
        if (!File.Exists(data)) throw new R1Exception($"{data} does not exist; name a file of MBPP by --data.");
        Prompt[] prompts = [.. File.ReadLines(data).Take(_config.PromptsPerStep).Select(Read)];
        using var policy = PolicyModel.Load(model, TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = Options.Threads(args) }));
        var inTurn = _config with { Limits = new RolloutLimits { MaxSequences = 2 * _config.GroupSize } };
        using var requests = new SemaphoreSlim(4);
        var judge = Reward.From("judge", async (_, completion, cancellationToken) =>
        {
            await requests.WaitAsync(cancellationToken);
            await Task.Delay(_latency, cancellationToken);
            requests.Release();
            return completion.TokenCount;
        });
        int runs = Options.Number(args, "--runs", 5);
        Compare("a judge of 250 ms, 4 requests at a time; all groups sampled at once", judge, _config);
        Bar.AtMost("waiting for the judge that is left", Compare("the same judge; two groups sampled at a time", judge, inTurn), 0.3, "of it");
        Compare("programs in the sandbox, 2 at a time; two groups sampled at a time", new CodeReward(), inTurn);

        // The share of the waiting for rewards that is left where they overlap.
        double Compare(string title, IReward reward, GrpoConfig config)
        {
            (string, double?)[]? first = null;
            List<double> heldRewards = [], rewards = [];
            double[] seconds = Measure.Medians(runs, () => Seconds(overlaps: false, heldRewards), () => Seconds(overlaps: true, rewards));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{title}: held back {seconds[0]:0.00} s, of which waiting for rewards {Measure.Median(heldRewards):0.00} s; overlapped {seconds[1]:0.00} s, of which waiting {Measure.Median(rewards):0.00} s: {seconds[0] / seconds[1]:0.00} ×"));
            return Measure.Median(rewards) / Measure.Median(heldRewards);

            double Seconds(bool overlaps, List<double> waited)
            {
                var clock = new PhaseClock(TimeProvider.System);
                (string, double?)[] scored = [];
                double whole = Measure.Seconds(() => scored = Collect(policy, reward, config, prompts, overlaps, clock));
                if (!scored.SequenceEqual(first ??= scored)) throw new R1Exception($"{title}: completions or scores differ between runs.");
                waited.Add(clock.Seconds["rewards"]);
                return whole;
            }
        }
    }

    /// <summary>Text and score of each completion of the step.</summary>
    private static (string, double?)[] Collect(PolicyModel policy, IReward reward, GrpoConfig config, Prompt[] prompts, bool overlaps, PhaseClock clock)
    {
        var mayScore = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (overlaps) mayScore.SetResult();
        var held = Reward.From(reward.Name, async (prompt, completion, cancellationToken) =>
        {
            await mayScore.Task;
            return await reward.ScoreAsync(prompt, completion, cancellationToken);
        });
        var collector = new GroupCollector(policy, WeightedRewards.Of((held, 1)), config, new AddressedRandom(1, RandomPurpose.Rollout));
        var (groups, _) = collector.CollectAsync(0, 0, position => prompts[position], new AtEnd(mayScore), clock, CancellationToken.None).GetAwaiter().GetResult();
        return [.. groups.SelectMany(group => group.Group.Rollouts.Zip(group.Scores, (rollout, score) => (rollout.Completion.Text, score.Total)))];
    }

    private static Prompt Read(string line)
    {
        var row = JsonElement.Parse(line);
        return new Prompt
        {
            Id = $"{row.GetProperty("task_id")}",
            Text = $"{row.GetProperty("instruction").GetString()}\nAnswer with one block of Python and nothing else.",
            Fields = row.EnumerateObject().ToDictionary(field => field.Name, field => field.Value),
        };
    }

    /// <summary>Lets scoring begin when the last completion has ended.</summary>
    private sealed class AtEnd(TaskCompletionSource mayScore) : IProgress<RolloutProgress>
    {
        public void Report(RolloutProgress value)
        {
            if (value.FinishedSequences == value.TotalSequences) mayScore.TrySetResult();
        }
    }
}
