using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace DeepSeekR1.Rewards.Tests.Judges;

public sealed class OpenAICompatibleClientTests : IDisposable
{
    private readonly HttpListener _server = new();
    private readonly Uri _address;

    public OpenAICompatibleClientTests()
    {
        // Port 0 is not for HttpListener: a socket finds a free one.
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        int port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        _address = new Uri($"http://localhost:{port}/v1");
        _server.Prefixes.Add($"http://localhost:{port}/");
        _server.Start();
    }

    [Fact]
    public async Task It_sends_what_servers_expect_and_reads_their_answer()
    {
        var served = ServeAsync(200, """{"choices": [{"message": {"role": "assistant", "content": "{\"grade\": 8}"}}], "usage": {"prompt_tokens": 12, "completion_tokens": 5}}""");
        using var client = new OpenAICompatibleClient(_address, "tiny", "secret");
        var reward = new JudgeReward(client, Rubric.Helpful);
        var score = await reward.ScoreAsync(new Prompt { Id = "p", Text = "why?" }, new Completion { Text = "because" }, TestContext.Current.CancellationToken);

        Assert.Equal(7 / 9.0, score.Value!.Value, 1e-12);
        Assert.Equal((12, 5), (reward.Usage.InputTokens, reward.Usage.OutputTokens));
        var (path, authorization, body) = await served;
        Assert.Equal(("/v1/chat/completions", "Bearer secret"), (path, authorization));
        Assert.Equal("tiny", body.GetProperty("model").GetString());
        Assert.Equal(["system", "user"], body.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("role").GetString()));
        Assert.Equal("json_object", body.GetProperty("response_format").GetProperty("type").GetString());
    }

    [Theory]
    [InlineData(503, "busy", "answered 503: busy")]
    [InlineData(200, "<html>", "something else than a chat completion: <html>")]
    [InlineData(200, "{\"choices\": []}", "something else than a chat completion")]
    public async Task What_is_no_completion_is_an_error_that_names_the_server(int status, string answer, string message)
    {
        var served = ServeAsync(status, answer);
        using var client = new OpenAICompatibleClient(_address, "tiny");
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => client.GetResponseAsync([new ChatMessage(ChatRole.User, "hi")], cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.Contains("/v1/chat/completions", failure.Message, StringComparison.Ordinal);
        await served;
    }

    [Theory]
    [InlineData("judge:model=x", "option 'url' is required")]
    [InlineData("judge:url=localhost,model=x", "expected an address")]
    [InlineData("judge:url=http://localhost/v1", "option 'model' is required")]
    [InlineData("judge:url=http://localhost/v1,model=x,key-env=R1_NO_SUCH_VARIABLE", "the environment has no variable 'R1_NO_SUCH_VARIABLE'")]
    public void A_config_that_cannot_be_asked_is_refused(string specification, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => RewardRegistry.Default.Create(specification)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_config_names_a_judge()
    {
        Assert.IsType<JudgeReward>(RewardRegistry.Default.Create("judge:url=http://localhost:11434/v1,model=qwen2.5:7b,rubric=harmless").Reward);
        Assert.IsType<PairwiseJudgeReward>(RewardRegistry.Default.Create("judge:url=http://localhost:11434/v1,model=qwen2.5:7b,pairwise=true").Reward);
    }

    public void Dispose() => ((IDisposable)_server).Dispose();

    private async Task<(string Path, string? Authorization, JsonElement Body)> ServeAsync(int status, string answer)
    {
        var context = await _server.GetContextAsync();
        using var body = await JsonDocument.ParseAsync(context.Request.InputStream);
        var request = (context.Request.Url!.AbsolutePath, context.Request.Headers["Authorization"], body.RootElement.Clone());
        context.Response.StatusCode = status;
        await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(answer));
        context.Response.Close();
        return request;
    }
}
