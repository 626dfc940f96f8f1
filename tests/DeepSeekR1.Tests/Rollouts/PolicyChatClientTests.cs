using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using Microsoft.Extensions.AI;

namespace DeepSeekR1.Tests.Rollouts;

public sealed class PolicyChatClientTests : IDisposable
{
    private static readonly ChatMessage[] _question = [new(ChatRole.User, "what is the capital of france ?")];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-client-");
    private readonly PolicyModel _policy;

    public PolicyChatClientTests()
    {
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 });
        _policy = PolicyModel.Load(EmbeddedModels.Resolve("embedded:mini-base", _folder.FullName), runtime);
    }

    [Fact]
    public async Task A_policy_answers_as_its_engine_does()
    {
        using var client = new PolicyChatClient(_policy);
        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = 20 };
        var response = await client.GetResponseAsync(_question, options, TestContext.Current.CancellationToken);
        var expected = _policy.Engine(new RolloutLimits()).Generate([_policy.Encode(new Prompt { Id = "x", Text = _question[0].Text }, 0)], 1,
            new SamplingConfig { Temperature = 0, MaxNewTokens = 20 }, new RolloutAddress(new AddressedRandom(1, RandomPurpose.Generation)))[0].Rollouts[0];
        Assert.Equal(expected.Completion.Text, response.Text);
        Assert.NotEmpty(response.Text);
        Assert.Equal((expected.PromptIds.Length, expected.Ids.Length), (response.Usage!.InputTokenCount, response.Usage.OutputTokenCount));
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
    }

    [Fact]
    public async Task A_stream_is_the_answer_in_pieces_and_a_seed_repeats_it()
    {
        using var client = new PolicyChatClient(_policy);
        var options = new ChatOptions { Temperature = 1, MaxOutputTokens = 40, Seed = 5 };
        var whole = await client.GetResponseAsync(_question, options, TestContext.Current.CancellationToken);
        var pieces = new List<string>();
        await foreach (var update in client.GetStreamingResponseAsync(_question, options, TestContext.Current.CancellationToken)) pieces.Add(update.Text);
        Assert.True(pieces.Count > 1);
        Assert.Equal(whole.Text, string.Concat(pieces));
    }

    [Fact]
    public async Task Requests_at_once_are_answered_one_after_another()
    {
        using var client = new PolicyChatClient(_policy);
        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = 10 };
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => client.GetResponseAsync(_question, options, TestContext.Current.CancellationToken)));
        Assert.All(answers, answer => Assert.Equal(answers[0].Text, answer.Text));
    }

    [Fact]
    public async Task It_can_be_a_judge_and_one_that_gives_no_verdict_fails()
    {
        using var client = new PolicyChatClient(_policy);
        var judge = new JudgeReward(client, Rubric.Helpful, new JudgeOptions { MaxAttempts = 1, MaxReplyTokens = 8 });
        await Assert.ThrowsAsync<JudgeException>(async () => await judge.ScoreAsync(new Prompt { Id = "x", Text = "hello !" }, new Completion { Text = "hello !" }, TestContext.Current.CancellationToken));
        Assert.Equal(1, judge.Usage.Retries);
    }

    public void Dispose()
    {
        _policy.Dispose();
        _folder.Delete(recursive: true);
    }
}
