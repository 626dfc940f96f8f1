using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace DeepSeekR1.Rewards;

/// <summary>A chat client for servers that speak OpenAI's <c>/chat/completions</c> (vLLM, llama.cpp, Ollama, LM Studio and the hosted ones); text only.</summary>
public sealed class OpenAICompatibleClient : IChatClient
{
    private readonly HttpClient _http = new();
    private readonly Uri _endpoint;
    private readonly string _model;

    /// <summary>A client of one model.</summary>
    /// <param name="baseAddress">The server with its version path: <c>http://localhost:11434/v1</c>.</param>
    /// <param name="model">The model's name at the server.</param>
    /// <param name="apiKey">Sent as a bearer token; null: none.</param>
    public OpenAICompatibleClient(Uri baseAddress, string model, string? apiKey = null)
    {
        ArgumentNullException.ThrowIfNull(baseAddress);
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        (_endpoint, _model) = (new Uri($"{baseAddress.AbsoluteUri.TrimEnd('/')}/chat/completions"), model);
        if (apiKey is not null) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
    }

    /// <inheritdoc/>
    /// <exception cref="HttpRequestException">The server cannot be reached, refuses, or answers with something else.</exception>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var body = new StringContent(Request(messages, options).ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(_endpoint, body, cancellationToken).ConfigureAwait(false);
        string text = await answer.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        if (!answer.IsSuccessStatusCode) throw new HttpRequestException($"{_endpoint} answered {(int)answer.StatusCode}: {text[..Math.Min(200, text.Length)]}");
        return Response(text);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false)).ToChatResponseUpdates()) yield return update;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        return serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("openai-compatible", _endpoint, _model) : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private JsonObject Request(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        var request = new JsonObject
        {
            ["model"] = options?.ModelId ?? _model,
            ["messages"] = new JsonArray([.. messages.Select(message => new JsonObject { ["role"] = message.Role.Value, ["content"] = message.Text })]),
        };
        if (options?.Temperature is { } temperature) request["temperature"] = temperature;
        if (options?.MaxOutputTokens is { } limit) request["max_tokens"] = limit;
        if (options?.ResponseFormat is ChatResponseFormatJson) request["response_format"] = new JsonObject { ["type"] = "json_object" };
        return request;
    }

    private ChatResponse Response(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            var usage = json.RootElement.TryGetProperty("usage", out var counts) && counts.ValueKind == JsonValueKind.Object ? counts : default;
            return new ChatResponse(new ChatMessage(ChatRole.Assistant, json.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()))
            {
                Usage = new UsageDetails { InputTokenCount = Count(usage, "prompt_tokens"), OutputTokenCount = Count(usage, "completion_tokens") },
            };
        }
        catch (Exception broken) when (broken is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
        {
            throw new HttpRequestException($"{_endpoint} answered with something else than a chat completion: {text[..Math.Min(200, text.Length)]}", broken);
        }
    }

    private static long? Count(JsonElement usage, string name) =>
        usage.ValueKind == JsonValueKind.Object && usage.TryGetProperty(name, out var count) && count.TryGetInt64(out long value) ? value : null;
}
