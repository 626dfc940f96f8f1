using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using DeepSeekR1.Configuration;
using DeepSeekR1.Rewards;
using DeepSeekR1.Runtime;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Cli.Tests;

public class CommandTests
{
    [Fact]
    public async Task Train_passes_on_everything_it_was_given()
    {
        var run = new CliRun();
        int code = await run.RunAsync("train", "--stage", "reasoning-rl", "--config", "my.json", "--set", "a.b=1", "--set", "c={\"d\": 2}", "--model", "m", "--data", "d.jsonl",
            "--output", "out", "--resume", "--device", "cuda", "--seed", "18446744073709551615", "--profile", "--dry-run");
        Assert.Equal((0, ""), (code, run.Error));
        var request = Assert.IsType<TrainRequest>(run.Request);
        Assert.Equal(["a.b=1", "c={\"d\": 2}"], request.Overrides);
        var expected = new TrainRequest
        {
            Stage = TrainStage.ReasoningRl,
            Config = "my.json",
            Overrides = request.Overrides,
            Model = "m",
            Data = "d.jsonl",
            Output = "out",
            Resume = true,
            Device = DeviceChoice.Cuda,
            Seed = ulong.MaxValue,
            Profile = true,
            DryRun = true,
        };
        Assert.Equal(expected, request);
    }

    [Fact]
    public async Task Train_leaves_to_the_config_what_it_was_not_given()
    {
        var run = new CliRun();
        Assert.Equal(0, await run.RunAsync("train", "--stage", "all"));
        var request = Assert.IsType<TrainRequest>(run.Request);
        Assert.Equal(new TrainRequest { Stage = TrainStage.All, Overrides = request.Overrides }, request);
        Assert.Empty(request.Overrides);
    }

    [Fact]
    public async Task Every_stage_has_its_name()
    {
        string[] names = ["pretrain", "zero", "cold-start", "reasoning-rl", "rejection-sft", "reward-model", "all-scenario-rl", "distill", "all"];
        foreach (string name in names)
        {
            var run = new CliRun();
            Assert.Equal(0, await run.RunAsync("train", "--stage", name));
            Assert.Equal(name, EnumNames.Name(((TrainRequest)run.Request!).Stage));
        }
    }

    [Theory]
    [InlineData("train --stage zerro", "unknown stage 'zerro'; did you mean 'zero'?")]
    [InlineData("train --stage ColdStart", "unknown stage 'ColdStart'; did you mean 'cold-start'?")]
    [InlineData("train --stage xxxxxxxx", "unknown stage 'xxxxxxxx'; known are pretrain, zero, cold-start")]
    [InlineData("train", "'--stage' is required")]
    [InlineData("train --stage zero --device gpu", "unknown device 'gpu'; did you mean 'cpu'? Known are auto, cpu, cuda.")]
    [InlineData("train --stage zero --seed -1", "--seed: expected a whole number from 0, but found '-1'.")]
    [InlineData("train --stage zero --resume", "--resume needs --output")]
    [InlineData("train --stage zero --sed 5", "'--sed'")]
    [InlineData("trian --stage zero", "'trian'")]
    [InlineData("eval --model m --data d -k 0", "-k: expected a whole number from 1, but found '0'.")]
    [InlineData("eval --data d", "'--model' is required")]
    [InlineData("sample --model m --top-p 0 hello", "--top-p: expected a number above 0, at most 1, but found '0'.")]
    [InlineData("sample --model m", "a prompt is missing")]
    [InlineData("sample --model m --chat hello", "leave the prompt out")]
    [InlineData("sample --model m --chat --raw", "--chat goes with neither --raw nor --n.")]
    [InlineData("sample --model m --chat --n 2", "--chat goes with neither --raw nor --n.")]
    [InlineData("sample --model m --n 0 hello", "--n: expected a whole number from 1, but found '0'.")]
    [InlineData("sample --model m --min-p 1.5 hello", "--min-p: expected a number from 0 to 1, but found '1.5'.")]
    [InlineData("sample --model m --top-k -1 hello", "--top-k: expected a whole number from 0, but found '-1'.")]
    [InlineData("sample --model m --max-tokens 0 hello", "--max-tokens: expected a whole number from 1, but found '0'.")]
    public async Task Wrong_usage_is_told_on_standard_error_with_exit_code_2(string line, string message)
    {
        var run = new CliRun();
        Assert.Equal(2, await run.RunAsync(line.Split(' ')));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Equal("", run.Out);
        Assert.Null(run.Request);
    }

    [Fact]
    public async Task A_failure_that_the_user_can_mend_is_one_line_with_exit_code_1()
    {
        var run = new CliRun { Training = (_, _) => throw new R1Exception("my.json(3,5): zero.stepz: no such setting; did you mean 'steps'?") };
        Assert.Equal(1, await run.RunAsync("train", "--stage", "zero"));
        Assert.Equal("error: my.json(3,5): zero.stepz: no such setting; did you mean 'steps'?\n", run.Error);
        Assert.Equal("", run.Out);
    }

    [Fact]
    public async Task A_fault_of_the_program_is_called_so_and_the_trace_comes_with_verbose()
    {
        var quiet = new CliRun { Training = (_, _) => throw new InvalidOperationException("odd.") };
        Assert.Equal(1, await quiet.RunAsync("train", "--stage", "zero"));
        Assert.Equal("error: InvalidOperationException: odd. This is a fault of r1 itself; run again with --verbose and report what it prints.\n", quiet.Error);

        var verbose = new CliRun { Training = (_, _) => throw new R1Exception("bad.") };
        Assert.Equal(1, await verbose.RunAsync("train", "--stage", "zero", "--verbose"));
        Assert.Contains("   at DeepSeekR1.Cli.Tests.CommandTests", verbose.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PosixSignal.SIGINT, 130)]
    [InlineData(PosixSignal.SIGTERM, 143)]
    public async Task The_first_signal_stops_gracefully_and_the_second_is_left_to_the_system(PosixSignal signal, int exitCode)
    {
        var run = new CliRun();
        run.Training = (_, cancellationToken) =>
        {
            Assert.False(cancellationToken.IsCancellationRequested);
            Assert.True(run.Signal(signal));
            Assert.True(cancellationToken.IsCancellationRequested);
            Assert.False(run.Signal(signal));
            throw new OperationCanceledException(cancellationToken);
        };
        Assert.Equal(exitCode, await run.RunAsync("train", "--stage", "zero"));
        Assert.Equal("stopping after this step and saving; Ctrl+C again exits at once.\n", run.Error);
    }

    [Fact]
    public async Task A_run_that_was_finished_when_the_signal_came_has_succeeded()
    {
        var run = new CliRun();
        run.Training = (_, _) => Task.FromResult(run.Signal(PosixSignal.SIGINT));
        Assert.Equal(0, await run.RunAsync("train", "--stage", "zero"));
    }

    [Fact]
    public async Task Eval_prints_figures_with_their_standard_errors()
    {
        var run = new CliRun();
        Assert.Equal(0, await run.RunAsync("eval", "--model", "m", "--data", "d", "-k", "8", "--limit", "5"));
        Assert.Equal((8, 5), (((EvalRequest)run.Request!).Samples, ((EvalRequest)run.Request).Limit));
        Assert.Equal("pass@1  27.5 % ± 1.2 %\nlength  41.2\n".Replace("41.2", 41.25.ToString("0.0")), run.Out);
    }

    [Fact]
    public async Task Ctrl_C_ends_sampling_where_nothing_is_saved()
    {
        var run = new CliRun { Pieces = ["one", " two"] };
        run.Sampled = () => Assert.True(run.Signal(PosixSignal.SIGINT));
        Assert.Equal(130, await run.RunAsync("sample", "--model", "m", "count"));
        Assert.Equal(("one …\n", "stopping; Ctrl+C again exits at once.\n"), (run.Out, run.Error));
    }

    [Fact]
    public async Task Sample_streams_the_answer()
    {
        var run = new CliRun { Pieces = ["<think>", " 1+1=2 ", "</think>\n", "2\u001b[31m"] };
        Assert.Equal(0, await run.RunAsync("sample", "--model", "m", "--temperature", "0", "what is 1+1?"));
        Assert.Equal(("what is 1+1?", 0.0, 0.95), (((SampleRequest)run.Request!).Prompt, ((SampleRequest)run.Request).Temperature, ((SampleRequest)run.Request).TopP));
        Assert.Equal("<think> 1+1=2 </think>\n2\u001b[31m\n", run.Out);
    }

    [Fact]
    public async Task Sample_passes_on_everything_it_was_given()
    {
        var run = new CliRun();
        Assert.Equal(0, await run.RunAsync("sample", "--model", "m", "--n", "4", "--temperature", "0.7", "--top-p", "0.9", "--top-k", "40", "--min-p", "0.05", "--max-tokens", "64",
            "--seed", "7", "--system", "be brief", "--raw", "--device", "cpu", "--dtype", "float32", "hello"));
        Assert.Equal(new SampleRequest
        {
            Model = "m",
            Prompt = "hello",
            System = "be brief",
            Raw = true,
            Count = 4,
            Temperature = 0.7,
            TopP = 0.9,
            TopK = 40,
            MinP = 0.05,
            MaxTokens = 64,
            Seed = 7,
            Device = DeviceChoice.Cpu,
            Dtype = DtypeChoice.Float32,
        }, run.Request);
    }

    [Fact]
    public async Task Chat_answers_line_by_line_until_an_empty_one()
    {
        var run = new CliRun { Input = "hello\nand you?\n\nnever read\n" };
        Assert.Equal(0, await run.RunAsync("sample", "--model", "m", "--chat", "--system", "be brief"));
        Assert.Equal("hello\nand you?\n", run.Out);
        Assert.Equal(("be brief", null), (((SampleRequest)run.Request!).System, ((SampleRequest)run.Request).Prompt));
    }

    [Fact]
    public async Task Ctrl_C_stops_the_answer_and_not_the_conversation()
    {
        var run = new CliRun { Input = "long\nshort\n" };
        run.Answering = message =>
        {
            if (message == "long") Assert.True(run.Signal(PosixSignal.SIGINT));
        };
        Assert.Equal(0, await run.RunAsync("sample", "--model", "m", "--chat"));
        Assert.Equal((" …\nshort\n", ""), (run.Out, run.Error));
    }

    [Fact]
    public async Task Ctrl_C_while_nothing_is_answered_ends_the_conversation()
    {
        using var typing = new EndlessTyping();
        var run = new CliRun { In = typing };
        typing.Started = () => Assert.True(run.Signal(PosixSignal.SIGINT));
        Assert.Equal(0, await run.RunAsync("sample", "--model", "m", "--chat"));
        Assert.Equal(("\n", ""), (run.Out, run.Error));
    }

    [Fact]
    public async Task On_a_terminal_a_models_control_characters_are_harmless()
    {
        var run = new CliRun { Pieces = ["a\u001b]0;title\u0007\tb\n", "\u009b31m"], Terminal = new Spectre.Console.Testing.TestConsole() };
        Assert.Equal(0, await run.RunAsync("sample", "--model", "m", "hi"));
        Assert.Equal("a\uFFFD]0;title\uFFFD\tb\n\uFFFD31m\n", run.Out);
    }

    [Fact]
    public async Task Score_names_the_rewards()
    {
        var run = new CliRun();
        Assert.Equal(0, await run.RunAsync("score", "--data", "d", "--reward", "accuracy", "--reward", "format"));
        Assert.Equal(["accuracy", "format"], ((ScoreRequest)run.Request!).Rewards);
        Assert.Equal("accuracy     100.0 %\nmean reward  1.000\n", run.Out);
    }

    [Theory]
    [InlineData("0.9", 1, 0)]
    [InlineData("1", 1, 0)]
    [InlineData("1.1", 1, 1)]
    [InlineData("0.5", double.NaN, 1)]
    public async Task Score_fails_below_the_least_mean(string least, double mean, int exitCode)
    {
        var run = new CliRun { MeanReward = mean };
        Assert.Equal(exitCode, await run.RunAsync("score", "--data", "d", "--min-mean", least));
        Assert.Contains("mean reward", run.Out, StringComparison.Ordinal);
        Assert.Equal(exitCode == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"error: the mean reward {mean} is below --min-mean {least}.\n"), run.Error);
    }

    [Fact]
    public async Task Score_says_what_is_wrong_with_each_row()
    {
        var folder = Directory.CreateTempSubdirectory("r1-score-");
        try
        {
            string data = Path.Combine(folder.FullName, "data.jsonl"), output = Path.Combine(folder.FullName, "scores.jsonl");
            await File.WriteAllTextAsync(data, """
                {"prompt": "2+3?", "completion": "<think>a</think> <answer>5</answer>", "answer": "5"}
                {"prompt": "2+3?", "completion": "<think>a</think> <answer>6</answer>", "answer": "5"}
                {"prompt": "2+3?", "completion": "5"}
                """, TestContext.Current.CancellationToken);
            var request = new ScoreRequest { Data = data, Rewards = ["accuracy", "format:weight=0.5"], Output = output };
            var figures = await new Operations().ScoreAsync(request, SilentObserver.Instance, TestContext.Current.CancellationToken);
            Assert.Equal([("completions", 3), ("accuracy", 0.5), ("accuracy abstained", 1 / 3.0), ("format", 2 / 3.0), ("mean reward", 2 / 3.0)], figures.Select(figure => (figure.Name, figure.Value)));
            JsonNode[] rows = [.. File.ReadLines(output).Select(line => JsonNode.Parse(line)!)];
            Assert.Equal("answered 6, expected 5", (string?)rows[1]["reasons"]!["accuracy"]);
            Assert.Equal(0.5, (double)rows[1]["reward"]!);
            Assert.Null(rows[2]["rewards"]!["accuracy"]);

            string before = await File.ReadAllTextAsync(data, TestContext.Current.CancellationToken);
            var refused = await Assert.ThrowsAsync<R1Exception>(() => new Operations().ScoreAsync(request with { Output = data }, SilentObserver.Instance, TestContext.Current.CancellationToken));
            Assert.Contains("is what is read; choose another --output", refused.Message, StringComparison.Ordinal);
            Assert.Equal(before, await File.ReadAllTextAsync(data, TestContext.Current.CancellationToken));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_reward_that_fails_is_no_fault_of_the_program()
    {
        var run = new CliRun { Training = (_, _) => throw new RewardFailureException("reward 'x' failed on 4 of 4 completions: boom", new InvalidOperationException("boom")) };
        Assert.Equal(1, await run.RunAsync("train", "--stage", "zero"));
        Assert.Equal("error: reward 'x' failed on 4 of 4 completions: boom\n", run.Error);
    }

    [Fact]
    public async Task Config_shows_what_all_layers_make()
    {
        var run = new CliRun();
        Assert.Equal(0, await run.RunAsync("config", "show", "--set", "topK=7"));
        Assert.Equal(7, (int)JsonNode.Parse(run.Out)!["topK"]!);
    }

    [Fact]
    public async Task Config_validate_names_the_mistake()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, """{ "topP": 0.5 }""");
            var good = new CliRun();
            Assert.Equal(0, await good.RunAsync("config", "validate", file));
            Assert.Equal($"{file}: valid\n", good.Out);

            File.WriteAllText(file, """{ "topQ": 0.5 }""");
            var bad = new CliRun();
            Assert.Equal(1, await bad.RunAsync("config", "validate", file));
            Assert.Equal($"error: {file}(1,3): topQ: no such setting; did you mean 'topK'?\n", bad.Error);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Config_schema_is_JSON()
    {
        var run = new CliRun();
        Assert.Equal(0, await run.RunAsync("config", "schema"));
        Assert.Equal("object", (string?)JsonNode.Parse(run.Out)!["type"]);
    }

    [Theory]
    [InlineData("--help", "train")]
    [InlineData("train --help", "--stage")]
    [InlineData("--version", ".")]
    public async Task Help_goes_to_standard_output(string line, string expected)
    {
        var run = new CliRun();
        Assert.Equal(0, await run.RunAsync(line.Split(' ')));
        Assert.Contains(expected, run.Out, StringComparison.Ordinal);
        Assert.Equal("", run.Error);
    }
}
