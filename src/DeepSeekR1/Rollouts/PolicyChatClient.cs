using System.Runtime.CompilerServices;
using System.Threading.Channels;
using DeepSeekR1.Rewards;
using DeepSeekR1.Runtime;
using Microsoft.Extensions.AI;
using ChatMessage = DeepSeekR1.Text.ChatMessage;

namespace DeepSeekR1.Rollouts;

/// <summary>
/// A policy as an <see cref="IChatClient"/>: a judge of one's own, or a chat anywhere that Microsoft.Extensions.AI is spoken. Requests are answered
/// one at a time. The same requests in the same order get the same answers; a request with a seed gets the same whatever came before.
/// </summary>
/// <param name="policy">The model; stays the caller's and is used by nobody else meanwhile.</param>
/// <param name="seed">Of requests that bring none.</param>
public sealed class PolicyChatClient(PolicyModel policy, ulong seed = 1) : IChatClient
{
    private readonly SemaphoreSlim _turn = new(1);
    private int _requests;

    /// <inheritdoc/>
    /// <exception cref="R1Exception">The conversation does not fit the model's context, or the template refuses it.</exception>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => ToResponse(Answer(messages, options, _ => { }, cancellationToken)), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    /// <exception cref="R1Exception">The conversation does not fit the model's context, or the template refuses it.</exception>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var pieces = Channel.CreateUnbounded<string>();
            var answering = Task.Run(() =>
            {
                try
                {
                    Answer(messages, options, piece => pieces.Writer.TryWrite(piece), cancellationToken);
                }
                finally
                {
                    pieces.Writer.Complete();
                }
            }, cancellationToken);
            await foreach (string piece in pieces.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false)) yield return new ChatResponseUpdate(ChatRole.Assistant, piece);
            await answering.ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private Rollout Answer(IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? options, Action<string> onText, CancellationToken cancellationToken)
    {
        ChatMessage[] turns = [.. messages.Select(message => new ChatMessage(message.Role.Value, message.Text))];
        var asked = policy.Ask;
        try
        {
            policy.Ask = _ => turns;
            var prompt = policy.Encode(new Prompt { Id = "request", Text = turns[^1].Content }, index: 0);
            var sampling = new SamplingConfig
            {
                Temperature = options?.Temperature ?? 1,
                TopP = options?.TopP ?? 1,
                TopK = options?.TopK ?? 0,
                MaxNewTokens = options?.MaxOutputTokens ?? new SamplingConfig().MaxNewTokens,
            };
            var address = options?.Seed is { } own ? new RolloutAddress(new AddressedRandom((ulong)own, RandomPurpose.Generation)) : new RolloutAddress(new AddressedRandom(seed, RandomPurpose.Generation), _requests++);
            return policy.Engine(new RolloutLimits()).Stream(prompt, sampling, address, onText, cancellationToken: cancellationToken);
        }
        finally
        {
            policy.Ask = asked;
        }
    }

    private static ChatResponse ToResponse(Rollout rollout) => new(new Microsoft.Extensions.AI.ChatMessage(ChatRole.Assistant, rollout.Completion.Text))
    {
        FinishReason = rollout.Completion.IsTruncated ? ChatFinishReason.Length : ChatFinishReason.Stop,
        Usage = new UsageDetails { InputTokenCount = rollout.PromptIds.Length, OutputTokenCount = rollout.Ids.Length, TotalTokenCount = rollout.PromptIds.Length + rollout.Ids.Length },
    };
}
