using System.Text;
using DeepSeekR1.Configuration;
using DeepSeekR1.Evaluation;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using DeepSeekR1.Telemetry;
using DeepSeekR1.Text;

namespace DeepSeekR1.Tests.Stages;

/// <summary>What <c>r1 eval</c>, <c>r1 sample</c> and <c>r1 score</c> do.</summary>
public sealed class OtherRunsTests : IDisposable
{
    private const string Question = "tom has 7 . may + 4 , june - 2 , july + 1 , august + 3 . how many now ?";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-other-");

    [Fact]
    public async Task Evaluation_reports_pass_at_1_with_its_standard_error_over_prompts()
    {
        string data = Write("prompts.jsonl", $"{{\"question\": \"{Question}\", \"answer\": \"13\"}}", $"{{\"question\": \"{Question}\", \"answer\": \"no such answer\"}}");
        var figures = await EvaluationRun.RunAsync(new EvalRequest { Model = "embedded:mini-base", Data = data, Samples = 8, Config = "mini" }, SilentObserver.Instance, TestContext.Current.CancellationToken);

        var byName = figures.ToDictionary(figure => figure.Name);
        Assert.Equal(["prompts", "pass@1", "pass@8", "cons@8", "format", "language", "length", "truncated"], byName.Keys);
        Assert.Equal(2, byName["prompts"].Value);
        // The second prompt is never solved: with rates (p, 0) mean and standard error are both p / 2.
        Assert.Equal(byName["pass@1"].Value, byName["pass@1"].StandardError!.Value, 12);
        Assert.Equal(byName["pass@1"].Value > 0 ? 0.5 : 0, byName["pass@8"].Value);
    }

    [Fact]
    public void The_same_seed_gives_the_same_answer_whatever_else_is_asked()
    {
        string[] alone = Answers(new SampleRequest { Model = "embedded:mini-base", Prompt = Question, Seed = 3, Temperature = 1 });
        string[] several = Answers(new SampleRequest { Model = "embedded:mini-base", Prompt = Question, Seed = 3, Temperature = 1, Count = 3 });
        string[] other = Answers(new SampleRequest { Model = "embedded:mini-base", Prompt = Question, Seed = 4, Temperature = 1, Count = 3 });
        Assert.Equal(alone[0], several[0]);
        Assert.Equal(3, several.Length);
        Assert.NotEqual(several, other);
    }

    [Fact]
    public void Several_answers_are_the_samples_of_one_group_and_come_whole()
    {
        var request = new SampleRequest { Model = "embedded:mini-base", Prompt = Question, Seed = 3, Temperature = 1, MaxTokens = 24, Count = 4 };
        var pieces = new List<(int Answer, string Text)>();
        using (var session = ChatSession.Open(request)) session.Answers(Question, (answer, text) => pieces.Add((answer, text)), TestContext.Current.CancellationToken);

        using var policy = PolicyModel.Load(EmbeddedModels.Resolve("embedded:mini-base", _folder.FullName), TorchRuntime.Create(new RuntimeConfig()));
        policy.Ask = prompt => [new ChatMessage("user", prompt.Text)];
        var group = Assert.Single(policy.Engine(new RolloutLimits()).Generate([policy.Encode(new Prompt { Id = "prompt", Text = Question }, 0)], request.Count,
            new SamplingConfig { Temperature = 1, TopP = request.TopP, MaxNewTokens = 24 }, new RolloutAddress(new AddressedRandom(3, RandomPurpose.Generation)), cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(group.Rollouts.Select((rollout, answer) => (answer, rollout.Completion.Text)), pieces);
        Assert.InRange(pieces.Select(piece => piece.Text).Distinct().Count(), 2, 4);
    }

    [Fact]
    public void A_conversation_remembers_what_was_said()
    {
        var request = new SampleRequest { Model = "embedded:mini-base", Temperature = 0, MaxTokens = 16 };
        using var session = ChatSession.Open(request);
        string first = Say(session, "hello"), second = Say(session, Question);
        using var fresh = ChatSession.Open(request);
        Assert.Equal(first, Say(fresh, "hello"));
        Assert.NotEqual("", second);

        int turns = 0;
        Assert.Throws<R1Exception>(() =>
        {
            for (; turns < 40; turns++) Say(session, Question);
        });
        Assert.InRange(turns, 1, 39);
    }

    [Fact]
    public async Task Scoring_a_file_judges_every_row()
    {
        string data = Write("completions.jsonl",
            """{"prompt": "1+1?", "answer": "2", "completion": "<think>\n1+1=2\n</think>\n<answer>\n2\n</answer>"}""",
            """{"prompt": "1+1?", "answer": "2", "completion": "it is 3"}""");
        var rewards = CompletionScoring.Rewards(["accuracy", "format:weight=0.5"]);
        var totals = new List<double?>();
        await foreach (var row in CompletionScoring.ScoreAsync(data, rewards, TestContext.Current.CancellationToken)) totals.Add(row.Score.Total);
        Assert.Equal([1.5, 0], totals);
    }

    [Fact]
    public async Task A_row_without_a_completion_is_named()
    {
        string data = Write("rows.jsonl", """{"prompt": "1+1?", "answer": "2", "completion": "2"}""", """{"prompt": "1+1?", "answer": "2"}""");
        var failure = await Assert.ThrowsAsync<R1Exception>(async () =>
        {
            await foreach (var row in CompletionScoring.ScoreAsync(data, CompletionScoring.Rewards(["accuracy"]), TestContext.Current.CancellationToken)) Assert.NotNull(row);
        });
        Assert.Contains("rows.jsonl, line 2: no completion", failure.Message, StringComparison.Ordinal);
        Assert.Contains("no reward 'acuracy'", Assert.Throws<R1Exception>(() => CompletionScoring.Rewards(["acuracy"])).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static string Say(ChatSession session, string message)
    {
        var answer = new StringBuilder();
        session.Answer(message, piece => answer.Append(piece));
        return answer.ToString();
    }

    private static string[] Answers(SampleRequest request)
    {
        var answers = new Dictionary<int, StringBuilder>();
        using var session = ChatSession.Open(request);
        session.Answers(request.Prompt!, (answer, piece) =>
        {
            if (!answers.TryGetValue(answer, out var text)) answers[answer] = text = new StringBuilder();
            text.Append(piece);
        });
        return [.. answers.Values.Select(text => text.ToString())];
    }

    private string Write(string name, params string[] lines)
    {
        string path = Path.Combine(_folder.FullName, name);
        File.WriteAllLines(path, lines);
        return path;
    }

}
