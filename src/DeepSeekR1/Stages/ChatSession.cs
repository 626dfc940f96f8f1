using DeepSeekR1.Configuration;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Text;

namespace DeepSeekR1.Stages;

/// <summary>
/// A loaded model that answers, and remembers what was said. A text is a function of the seed, the conversation and the number of the
/// answer, whatever else is computed beside it. Not thread-safe.
/// </summary>
public sealed class ChatSession : IDisposable
{
    private readonly PolicyModel _policy;
    private readonly SampleRequest _request;
    private readonly AddressedRandom _random;
    private readonly List<ChatMessage> _history = [];
    private int _answers;

    private ChatSession(PolicyModel policy, SampleRequest request)
    {
        (_policy, _request) = (policy, request);
        _random = new AddressedRandom(request.Seed, RandomPurpose.Generation);
        if (request.System is { } system) _history.Add(new ChatMessage("system", system));
    }

    /// <summary>Opens the model.</summary>
    /// <exception cref="R1Exception">It cannot be opened.</exception>
    public static ChatSession Open(SampleRequest request)
    {
        var config = new RuntimeConfig { Device = request.Device ?? DeviceChoice.Auto, Dtype = request.Dtype ?? DtypeChoice.Auto };
        return new ChatSession(PolicyModel.Load(EmbeddedModels.Resolve(request.Model, EmbeddedModels.Cache), () => TorchRuntime.Create(config)), request);
    }

    /// <summary>Answers a message. The exchange becomes part of the conversation when the answer ends or is cancelled.</summary>
    /// <param name="message">The user's message.</param>
    /// <param name="onText">Called with each new piece of the answer.</param>
    /// <param name="cancellationToken">Ends the answer where it is.</param>
    /// <exception cref="R1Exception">The conversation no longer fits the model's context, or the template refuses it.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; what was said stays in the conversation.</exception>
    public void Answer(string message, Action<string> onText, CancellationToken cancellationToken = default)
    {
        _history.Add(new ChatMessage("user", message));
        var answer = new System.Text.StringBuilder();
        try
        {
            Stream(Encode(), sample: _answers++, piece =>
            {
                answer.Append(piece);
                onText(piece);
            }, cancellationToken);
        }
        finally
        {
            _history.Add(new ChatMessage("assistant", answer.ToString()));
        }
    }

    /// <summary>Several answers to one message, which leave the conversation as it is.</summary>
    /// <param name="message">The user's message.</param>
    /// <param name="onText">Called with the number of the answer, from 0, and each new piece of it.</param>
    /// <param name="cancellationToken">Checked at every token.</param>
    /// <inheritdoc cref="Answer" path="/exception"/>
    public void Answers(string message, Action<int, string> onText, CancellationToken cancellationToken = default)
    {
        _history.Add(new ChatMessage("user", message));
        var prompt = Encode();
        _history.RemoveAt(_history.Count - 1);
        for (int i = 0; i < _request.Count; i++)
        {
            int answer = i;
            Stream(prompt, answer, piece => onText(answer, piece), cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _policy.Dispose();

    private void Stream(EncodedPrompt prompt, int sample, Action<string> onText, CancellationToken cancellationToken)
    {
        var sampling = new SamplingConfig
        {
            Temperature = _request.Temperature,
            TopP = _request.TopP,
            TopK = _request.TopK,
            MinP = _request.MinP,
            MaxNewTokens = _request.MaxTokens,
        };
        _policy.Engine(new RolloutLimits()).Stream(prompt, sampling, new RolloutAddress(_random, sample), onText, cancellationToken: cancellationToken);
    }

    private EncodedPrompt Encode()
    {
        if (!_request.Raw) _policy.Ask = _ => _history;
        var prompt = new Prompt { Id = "prompt", Text = _history[^1].Content };
        return _request.Raw ? new EncodedPrompt(prompt, _policy.Tokenizer.EncodeWithSpecialTokens(prompt.Text), 0) : _policy.Encode(prompt, 0);
    }
}
