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
            Stream(Encode(), _answers++, piece =>
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

    /// <summary>One or several answers to one message, sampled together, which leave the conversation as it is.</summary>
    /// <param name="message">The user's message.</param>
    /// <param name="onText">Called with the number of the answer, from 0, and text of it: of a single answer each new piece, of several the whole, in order, once all have ended.</param>
    /// <param name="cancellationToken">Checked at every token.</param>
    /// <inheritdoc cref="Answer" path="/exception"/>
    public void Answers(string message, Action<int, string> onText, CancellationToken cancellationToken = default)
    {
        _history.Add(new ChatMessage("user", message));
        var prompt = Encode();
        _history.RemoveAt(_history.Count - 1);
        if (_request.Count == 1)
        {
            Stream(prompt, answer: 0, piece => onText(0, piece), cancellationToken);
            return;
        }
        var group = Engine.Generate([prompt], _request.Count, Sampling, new RolloutAddress(_random), cancellationToken: cancellationToken)[0];
        foreach (var (answer, rollout) in group.Rollouts.Index()) onText(answer, rollout.Completion.Text);
    }

    /// <inheritdoc/>
    public void Dispose() => _policy.Dispose();

    private RolloutEngine Engine => _policy.Engine(new RolloutLimits());

    private SamplingConfig Sampling => new()
    {
        Temperature = _request.Temperature,
        TopP = _request.TopP,
        TopK = _request.TopK,
        MinP = _request.MinP,
        MaxNewTokens = _request.MaxTokens,
    };

    private void Stream(EncodedPrompt prompt, int answer, Action<string> onText, CancellationToken cancellationToken) =>
        Engine.Stream(prompt, Sampling, new RolloutAddress(_random, answer), onText, cancellationToken: cancellationToken);

    private EncodedPrompt Encode()
    {
        if (!_request.Raw) _policy.Ask = _ => _history;
        var prompt = new Prompt { Id = "prompt", Text = _history[^1].Content };
        return _request.Raw ? new EncodedPrompt(prompt, _policy.Tokenizer.EncodeWithSpecialTokens(prompt.Text), 0) : _policy.Encode(prompt, 0);
    }
}
