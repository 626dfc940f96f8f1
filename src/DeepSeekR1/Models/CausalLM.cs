using DeepSeekR1.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>A decoder with a language-model head: token ids in, logits of the next token out.</summary>
public sealed class CausalLM : IDisposable
{
    private readonly Dictionary<string, Parameter> _parameters;
    private readonly Parameter _embedding, _head;
    private readonly DecoderLayer[] _layers;
    private readonly RmsNorm _norm;
    private readonly RotaryEmbedding _rotary;

    /// <summary>Takes ownership of the parameters, which are those of <see cref="ParameterLayout"/>.</summary>
    internal CausalLM(ModelConfig config, Dictionary<string, Parameter> parameters)
    {
        Config = config;
        _parameters = parameters;
        _embedding = parameters[ParameterLayout.Embedding];
        _head = config.TieWordEmbeddings ? _embedding : parameters[ParameterLayout.Head];
        var parts = new ModelParameters(parameters);
        _layers = [.. Enumerable.Range(0, config.Layers).Select(index => new DecoderLayer(config, parts, index))];
        _norm = new(parameters[ParameterLayout.FinalNorm], config.RmsNormEpsilon);
        _rotary = new(config.RotaryWidth, config.RopeTheta, config.RopeScaling, Device);
    }

    /// <summary>Its shape.</summary>
    public ModelConfig Config { get; }

    /// <summary>What numbers it computes with.</summary>
    public ScalarType Dtype => _embedding.dtype;

    /// <summary>Where it lives.</summary>
    public Device Device => _embedding.device;

    /// <summary>Every parameter by its Hugging Face name; a tied head appears once, as <c>model.embed_tokens.weight</c>.</summary>
    public IReadOnlyDictionary<string, Parameter> Parameters => _parameters;

    /// <summary>
    /// A fresh model: projections normal with deviation 1/sqrt(fan-in), those that write to the residual stream further divided by
    /// sqrt(2 * layers), the embedding with deviation 0.1, norms 1, biases 0. Same seed, same weights on every device.
    /// </summary>
    /// <exception cref="R1Exception">The configuration is impossible.</exception>
    public static CausalLM Create(ModelConfig config, TorchRuntime runtime, AddressedRandom init, ScalarType? dtype = null)
    {
        config.Validated("model configuration");
        var type = dtype ?? runtime.DtypeFor(config.HiddenSize);
        using var noGrad = no_grad();
        var parameters = ParameterLayout.Of(config).Select((spec, index) =>
            (spec.Name, Value: ParameterFactory.Own(ParameterFactory.Draw(spec, config, init.Stream(step: index), type, runtime.Device), spec.IsTrainable)));
        return new CausalLM(config, parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value, StringComparer.Ordinal));
    }

    /// <summary>
    /// The last hidden states, final norm applied; logits are made of those rows that need them. With a cache the ids follow what it
    /// holds, and no gradient may be recorded.
    /// </summary>
    /// <param name="ids">[batch, sequence] int64.</param>
    /// <param name="positions">[batch or 1, sequence] int64; null counts from the cache's length (0 without one).</param>
    /// <param name="mask">bool [batch or 1, 1, sequence, cached + sequence], true where a token may attend; null is causal. Rows of padding may be empty.</param>
    /// <param name="cache">Keys and values of the tokens before; the new ones are added.</param>
    /// <returns>[batch, sequence, hidden].</returns>
    /// <exception cref="ArgumentException">A shape that does not fit.</exception>
    public Tensor Hidden(Tensor ids, Tensor? positions = null, Tensor? mask = null, KvCache? cache = null)
    {
        CheckShapes(ids, positions, mask, cache);
        using var scope = NewDisposeScope();
        long batch = ids.shape[0], sequence = ids.shape[1], past = cache?.Length ?? 0;
        var rotation = _rotary.At(positions ?? arange(past, past + sequence, ScalarType.Int64, Device).unsqueeze(0), Dtype);
        var fullMask = AttentionMask.Create(mask, past, sequence, window: null, Dtype, Device);
        var slidingMask = Config.SlidingWindow is null ? fullMask : AttentionMask.Create(mask, past, sequence, Config.SlidingWindow, Dtype, Device);
        var context = new ForwardContext(rotation, fullMask, slidingMask, cache);
        var x = _embedding.index_select(0, ids.reshape(-1)).view(batch, sequence, Config.HiddenSize);
        foreach (var layer in _layers) x = layer.Forward(x, context);
        cache?.Advance(sequence);
        return _norm.Forward(x).MoveToOuterDisposeScope();
    }

    /// <summary>Unnormalised log-probabilities of the next token.</summary>
    /// <param name="hidden">[..., hidden].</param>
    /// <returns>[..., vocabulary], in the model's dtype.</returns>
    public Tensor Logits(Tensor hidden) => nn.functional.linear(hidden, _head);

    /// <summary>A model of its own with the same weights; not trainable, it is a frozen reference.</summary>
    public CausalLM Copy(bool trainable)
    {
        using var noGrad = no_grad();
        return new CausalLM(Config, _parameters.ToDictionary(
            parameter => parameter.Key, parameter => ParameterFactory.Own(parameter.Value.clone(), trainable && parameter.Value.requires_grad), StringComparer.Ordinal));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var parameter in _parameters.Values) parameter.Dispose();
        _rotary.Dispose();
    }

    // A wrong shape inside LibTorch's products can end the process, so shapes are checked here.
    private static void CheckShapes(Tensor ids, Tensor? positions, Tensor? mask, KvCache? cache)
    {
        if (ids.shape is not [> 0, > 0] || ids.dtype != ScalarType.Int64)
            throw new ArgumentException($"ids must be int64 [batch, sequence], found {ids.dtype} [{string.Join(", ", ids.shape)}]", nameof(ids));
        long batch = ids.shape[0], sequence = ids.shape[1], keys = sequence + (cache?.Length ?? 0);
        cache?.CheckRoom(batch, sequence);
        if (positions is not null && (positions.dtype != ScalarType.Int64 || positions.shape is not [var rows, var columns] || (rows != 1 && rows != batch) || columns != sequence))
            throw new ArgumentException($"positions must be int64 [{batch} or 1, {sequence}], found {positions.dtype} [{string.Join(", ", positions.shape)}]", nameof(positions));
        if (mask is not null && (mask.dtype != ScalarType.Bool || mask.shape is not [var masks, 1, var queries, var attended]
            || (masks != 1 && masks != batch) || queries != sequence || attended != keys))
            throw new ArgumentException($"mask must be bool [{batch} or 1, 1, {sequence}, {keys}], found {mask.dtype} [{string.Join(", ", mask.shape)}]", nameof(mask));
    }
}
