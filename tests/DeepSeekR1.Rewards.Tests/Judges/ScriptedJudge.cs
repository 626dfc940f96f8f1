using Microsoft.Extensions.AI;

namespace DeepSeekR1.Rewards.Tests.Judges;

/// <summary>A judge that answers by a function of what it is shown, and keeps what it was shown.</summary>
internal sealed class ScriptedJudge(Func<string, string> answer) : IChatClient
{
    private readonly Lock _gate = new();

    public List<(string Instructions, string Material)> Asked { get; } = [];

    public static ScriptedJudge Grading(int grade) => new(_ => $$"""{"reason": "so", "grade": {{grade}}}""");

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ChatMessage[] turns = [.. messages];
        lock (_gate) Asked.Add((turns[0].Text, turns[1].Text));
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, answer(turns[1].Text))) { Usage = new UsageDetails { InputTokenCount = 100, OutputTokenCount = 10 } });
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose() { }
}
