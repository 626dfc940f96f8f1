using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>A decoder without its head: token ids in, hidden states out.</summary>
public abstract class DecoderModel : IDisposable
{
    private readonly Dictionary<string, Parameter> _parameters;
    private readonly ModelParameters _parts;
    private readonly DecoderLayer[] _layers;
    private readonly RmsNorm _norm;
    private readonly RotaryEmbedding _rotary;

    /// <summary>Takes ownership of the parameters, which are those of <see cref="ParameterLayout"/>.</summary>
    private protected DecoderModel(ModelConfig config, Dictionary<string, Parameter> parameters)
    {
        Config = config;
        _parameters = parameters;
        _parts = new ModelParameters(parameters);
        Embedding = parameters[ParameterLayout.Embedding];
        _layers = [.. Enumerable.Range(0, config.Layers).Select(index => new DecoderLayer(config, _parts, index))];
        _norm = new(parameters[ParameterLayout.FinalNorm], config.RmsNormEpsilon);
        _rotary = new(config.RotaryWidth, config.RopeTheta, config.RopeScaling, Device);
    }

    /// <summary>Its shape.</summary>
    public ModelConfig Config { get; }

    /// <summary>What numbers it computes with.</summary>
    public ScalarType Dtype => Embedding.dtype;

    /// <summary>Where it lives.</summary>
    public Device Device => Embedding.device;

    /// <summary>
    /// Every parameter by its Hugging Face name; a tied head appears once, as <c>model.embed_tokens.weight</c>. Those that do not
    /// require a gradient are frozen, or buffers such as a router's correction bias.
    /// </summary>
    public IReadOnlyDictionary<string, Parameter> Parameters => _parameters;

    /// <summary>
    /// Layers are computed again in the backward pass instead of keeping what they computed: the same gradients in less memory, for
    /// about a third more time (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost").
    /// </summary>
    public bool GradientCheckpointing { get; set; }

    /// <summary>The low-rank adapter that is trained in place of the weights; null: the weights themselves are.</summary>
    public LoraAdapter? Adapter { get; internal set; }

    /// <summary>What training changes, by name.</summary>
    internal IEnumerable<KeyValuePair<string, Parameter>> TrainedParameters =>
        Parameters.Concat(Adapter?.Parameters ?? new Dictionary<string, Parameter>()).Where(parameter => parameter.Value.requires_grad);

    /// <summary>What a user should know of how it was loaded; mostly empty.</summary>
    public IReadOnlyList<string> Notes { get; internal init; } = [];

    /// <summary>Projections inside the layers, by name without ".weight".</summary>
    internal IReadOnlyDictionary<string, Linear> Linears => _parts.Linears;

    private protected Parameter Embedding { get; }

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
    /// <exception cref="R1Exception">An id that the model does not have.</exception>
    /// <exception cref="InvalidOperationException">A cache while gradients are recorded.</exception>
    public Tensor Hidden(Tensor ids, Tensor? positions = null, Tensor? mask = null, KvCache? cache = null)
    {
        CheckShapes(ids, positions, mask, cache);
        using var scope = NewDisposeScope();
        CheckIds(ids);
        long sequence = ids.shape[1], past = cache?.Length ?? 0;
        positions ??= arange(past, past + sequence, ScalarType.Int64, Device).unsqueeze(0);
        return Hidden(ids, positions, window => AttentionMask.Create(mask, past, sequence, window, Dtype, Device), cache).MoveToOuterDisposeScope();
    }

    /// <summary>The last hidden states of sequences that share one row.</summary>
    /// <param name="ids">[1, tokens] int64.</param>
    /// <param name="positions">[1, tokens] int64.</param>
    /// <param name="sequences">Which tokens belong together.</param>
    /// <returns>[1, tokens, hidden].</returns>
    internal Tensor Hidden(Tensor ids, Tensor positions, TokenSpans sequences)
    {
        CheckShapes(ids, positions, mask: null, cache: null);
        if (ids.numel() != sequences.Tokens) throw new ArgumentException($"{ids.numel()} ids in spans of {sequences.Tokens} tokens", nameof(ids));
        using var scope = NewDisposeScope();
        CheckIds(ids);
        return Hidden(ids, positions, window => AttentionMask.Create(sequences, window, Dtype, Device), cache: null).MoveToOuterDisposeScope();
    }

    private Tensor Hidden(Tensor ids, Tensor positions, Func<int?, AttentionMask> maskOf, KvCache? cache)
    {
        long batch = ids.shape[0], sequence = ids.shape[1];
        var fullMask = maskOf(null);
        var context = new ForwardContext(_rotary.At(positions, Dtype), fullMask, Config.SlidingWindow is { } window ? maskOf(window) : fullMask, cache);
        var x = Embedding.index_select(0, ids.reshape(-1)).view(batch, sequence, Config.HiddenSize);
        bool recompute = GradientCheckpointing && is_grad_enabled();
        foreach (var layer in _layers) x = recompute ? RecomputedLayer.Forward(layer, x, context) : layer.Forward(x, context);
        cache?.Advance(sequence);
        return _norm.Forward(x);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Adapter?.Dispose();
        foreach (var parameter in _parameters.Values) parameter.Dispose();
        _rotary.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Copies of the parameters.</summary>
    internal Dictionary<string, Parameter> CopyParameters(bool trainable)
    {
        using var noGrad = no_grad();
        return _parameters.ToDictionary(parameter => parameter.Key,
            parameter => ParameterFactory.Own(parameter.Value.clone(), trainable && !ParameterLayout.IsBuffer(parameter.Key)), StringComparer.Ordinal);
    }

    /// <summary>Takes over the weights of a model of the same shape, or only a share of them and keeps the rest of its own.</summary>
    internal void CopyFrom(DecoderModel other, double share = 1)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, parameter) in _parameters)
            if (share == 1) parameter.copy_(other._parameters[name]);
            else parameter.lerp_(other._parameters[name], share);
    }

    private void CheckIds(Tensor ids)
    {
        var wrong = ids.lt(0).logical_or_(ids.ge(Config.VocabularySize));
        if (wrong.any().item<bool>()) throw Config.UnknownToken(ids.masked_select(wrong)[0].item<long>());
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
