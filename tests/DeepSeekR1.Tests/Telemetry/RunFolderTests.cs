using System.Text.Json.Nodes;
using DeepSeekR1.Configuration;
using DeepSeekR1.Rewards;
using DeepSeekR1.Runtime;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Tests.Telemetry;

public sealed class RunFolderTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("r1-run-").FullName;

    private string RunPath => Path.Combine(_root, "runs", "zero");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static StepMetrics Step(int step, double loss = 0.5) => new("zero", step, new Dictionary<string, double> { ["loss"] = loss, ["rewards/accuracy/mean"] = 0.25 });

    private static CompletionRecord Completion(string text) => new()
    {
        Stage = "zero",
        Step = 3,
        Prompt = new Prompt { Id = "world:7", Text = "tom has 7\n汤姆 \"?\"" },
        Completion = new Completion { Text = text, TokenCount = 12, IsTruncated = true },
        Rewards = new Dictionary<string, RewardScore> { ["accuracy"] = new(1, "boxed 12"), ["language"] = RewardScore.Abstain("no text") },
        Reward = 1,
        Advantage = -0.5,
    };

    [Fact]
    public void Each_step_is_one_flat_line()
    {
        using var folder = RunFolder.Create(RunPath);
        folder.Append(Step(1));
        folder.Append(Step(2, double.NaN));
        string[] lines = File.ReadAllLines(folder.MetricsFile);
        Assert.Equal("""{"stage":"zero","step":1,"loss":0.5,"rewards/accuracy/mean":0.25}""", lines[0]);
        Assert.Equal("""{"stage":"zero","step":2,"loss":null,"rewards/accuracy/mean":0.25}""", lines[1]);
        var read = folder.ReadMetrics();
        Assert.Equal([1, 2], read.Select(step => step.Step));
        Assert.Equal(Step(1).Values, read[0].Values);
        Assert.True(double.IsNaN(read[1].Values["loss"]));
    }

    [Fact]
    public void A_completion_is_stored_with_every_reward_and_its_reason()
    {
        using var folder = RunFolder.Create(RunPath);
        folder.Append(Completion("line one\nline two \u001b[31m 中 \u2028 </script>"));
        string line = Assert.Single(File.ReadAllLines(folder.CompletionsFile));
        Assert.DoesNotContain('\u001b', line);
        Assert.Contains("中", line, StringComparison.Ordinal);
        var json = JsonNode.Parse(line)!;
        Assert.Equal("line one\nline two \u001b[31m 中 \u2028 </script>", (string?)json["text"]);
        Assert.Equal(("zero", 3, "world:7", 12, true), ((string?)json["stage"], (int)json["step"]!, (string?)json["prompt_id"], (int)json["tokens"]!, (bool)json["truncated"]!));
        Assert.Equal("""{"accuracy":1,"language":null}""", json["rewards"]!.ToJsonString());
        Assert.Equal("""{"accuracy":"boxed 12","language":"no text"}""", json["reasons"]!.ToJsonString());
        Assert.Equal(-0.5, (double)json["advantage"]!);
    }

    [Fact]
    public void Results_are_rows_in_JSON_and_a_table()
    {
        using var folder = RunFolder.Create(RunPath);
        folder.Add(new ResultRow("base", new Dictionary<string, double> { ["accuracy"] = 0.2, ["length"] = 18.4, ["seconds"] = 0 }));
        folder.Add(new ResultRow("zero|x", new Dictionary<string, double> { ["accuracy"] = 0.9, ["seconds"] = 77.6 }));
        folder.Add(new ResultRow("base", new Dictionary<string, double> { ["accuracy"] = 0.25, ["greedy"] = 0.125, ["length"] = 18.4, ["seconds"] = 3 }));
        var rows = JsonNode.Parse(File.ReadAllText(Path.Combine(RunPath, "results.json")))!["rows"]!.AsArray();
        Assert.Equal("""{"name":"base","accuracy":0.25,"greedy":0.125,"length":18.4,"seconds":3}""", rows[0]!.ToJsonString());
        Assert.Equal(2, rows.Count);
        Assert.Equal("""
            |  | accuracy | greedy | length | seconds |
            | --- | ---: | ---: | ---: | ---: |
            | base | 25.0 % | 12.5 % | 18 | 3.0 |
            | zero\|x | 90.0 % | – | – | 78 |

            """.ReplaceLineEndings("\n"), File.ReadAllText(Path.Combine(RunPath, "results.md")));
    }

    [Fact]
    public void The_config_is_written_as_it_is_read()
    {
        using var folder = RunFolder.Create(RunPath);
        folder.WriteConfig(new RuntimeConfig { Threads = 3, Dtype = DtypeChoice.Bfloat16 });
        Assert.Equal(new RuntimeConfig { Threads = 3, Dtype = DtypeChoice.Bfloat16 }, ConfigReader.Load<RuntimeConfig>(folder.ConfigFile));
        // Whatever a model's token is called, the line stays a comment.
        folder.WriteConfig(new RuntimeConfig { Threads = 3 }, "answers end at 2 \n{ \"threads\": 9 }\u2028{");
        Assert.Equal(new RuntimeConfig { Threads = 3 }, ConfigReader.Load<RuntimeConfig>(folder.ConfigFile));
        Assert.StartsWith("// answers end at 2 ", File.ReadAllText(folder.ConfigFile), StringComparison.Ordinal);
    }

    [Fact]
    public void A_resumed_run_goes_on_from_the_checkpoints_lengths()
    {
        LogLengths saved;
        using (var folder = RunFolder.Create(RunPath))
        {
            folder.Append(Step(1));
            folder.Append(Completion("a"));
            folder.Add(new ResultRow("base", new Dictionary<string, double> { ["accuracy"] = 0.2, ["language"] = double.NaN }));
            saved = folder.SyncLogs();
            folder.Append(Step(2));
            folder.Append(Completion("b"));
        }
        File.AppendAllText(Path.Combine(RunPath, "metrics.jsonl"), "{\"stage\":\"ze");
        using (var folder = RunFolder.Resume(RunPath))
        {
            folder.RewindLogs(saved);
            folder.Append(Step(3));
            Assert.Equal([1, 3], folder.ReadMetrics().Select(step => step.Step));
            Assert.Single(File.ReadAllLines(folder.CompletionsFile));
            Assert.Equal("base", Assert.Single(folder.Rows).Name);
            Assert.Equal(0.2, folder.Rows[0].Values["accuracy"]);
            folder.RewindLogs(default);
            Assert.Empty(folder.ReadMetrics());
            string message = Assert.Throws<R1Exception>(() => folder.RewindLogs(saved)).Message;
            Assert.Contains("the file was cut or replaced", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Resuming_where_nothing_is_begins()
    {
        using var folder = RunFolder.Resume(RunPath);
        Assert.Empty(folder.Rows);
        Assert.Empty(folder.ReadMetrics());
    }

    [Fact]
    public void A_folder_in_use_is_refused()
    {
        using var first = RunFolder.Create(RunPath);
        string expected = $"output folder '{RunPath}' is in use by another run; wait for it or choose another --output.";
        Assert.Equal(expected, Assert.Throws<R1Exception>(() => RunFolder.Resume(RunPath)).Message);
        Assert.Equal(expected, Assert.Throws<R1Exception>(() => RunFolder.Create(RunPath)).Message);
    }

    [Fact]
    public void A_folder_with_a_run_in_it_is_only_resumed()
    {
        RunFolder.Create(RunPath).Dispose();
        Assert.Equal($"output folder '{RunPath}' is not empty; go on with the run in it by --resume, or choose another --output.",
            Assert.Throws<R1Exception>(() => RunFolder.Create(RunPath)).Message);
        RunFolder.Resume(RunPath).Dispose();
    }

    [Fact]
    public void Somebody_elses_folder_is_left_as_it_was()
    {
        File.WriteAllText(Path.Combine(_root, "letter.txt"), "dear");
        Assert.Equal($"output folder '{_root}' is not empty; choose another --output.", Assert.Throws<R1Exception>(() => RunFolder.Create(_root)).Message);
        Assert.Equal($"output folder '{_root}' holds no run that could go on, but other files; choose another --output.", Assert.Throws<R1Exception>(() => RunFolder.Resume(_root)).Message);
        Assert.Equal("letter.txt", Path.GetFileName(Assert.Single(Directory.EnumerateFileSystemEntries(_root))));
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_named()
    {
        string file = Path.Combine(_root, "file");
        File.WriteAllText(file, "");
        string path = Path.Combine(file, "run");
        Assert.StartsWith($"output folder '{path}' cannot be written: ", Assert.Throws<R1Exception>(() => RunFolder.Create(path)).Message, StringComparison.Ordinal);
        Assert.StartsWith($"output folder '{file}' cannot be written: ", Assert.Throws<R1Exception>(() => RunFolder.Create(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_results_are_named_and_the_folder_is_let_go()
    {
        RunFolder.Create(RunPath).Dispose();
        string results = Path.Combine(RunPath, "results.json");
        foreach (string damaged in new[] { "{", "[]", """{"rows":[{"accuracy":1}]}""", """{"rows":[{"name":"x","accuracy":"much"}]}""" })
        {
            File.WriteAllText(results, damaged);
            Assert.StartsWith($"'{results}' is damaged: ", Assert.Throws<R1Exception>(() => RunFolder.Resume(RunPath)).Message, StringComparison.Ordinal);
        }
        File.Delete(results);
        RunFolder.Resume(RunPath).Dispose();
    }

    [Fact]
    public void A_whole_file_is_replaced_or_left_alone()
    {
        using var folder = RunFolder.Create(RunPath);
        folder.WriteCurve("<svg>1</svg>");
        folder.WriteCurve("<svg>2</svg>");
        Assert.Equal("<svg>2</svg>", File.ReadAllText(Path.Combine(RunPath, "curve.svg")));
        Assert.Empty(Directory.GetFiles(RunPath, "*.tmp"));

        Directory.CreateDirectory(Path.Combine(RunPath, "taken.svg"));
        Assert.Throws<R1Exception>(() => folder.WriteCurve("<svg/>", "taken.svg"));
        Assert.Empty(Directory.GetFiles(RunPath, "*.tmp"));
    }

    [Fact]
    public void The_next_free_folder_is_the_first_that_does_not_exist()
    {
        Assert.Equal(Path.Combine(_root, "zero-1"), RunFolder.NextFree(_root, "zero"));
        Directory.CreateDirectory(Path.Combine(_root, "zero-1"));
        Assert.Equal(Path.Combine(_root, "zero-2"), RunFolder.NextFree(_root, "zero"));
    }
}
