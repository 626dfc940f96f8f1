using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// What optimizers share: the gradient in one buffer, single-precision masters of weights of lower precision (without which a
/// learning rate of 1e-6 would round to no change at all), clipping, and state by name.
/// </summary>
public abstract class FlatOptimizer : IOptimizer
{
    private const string MasterPrefix = "master.";

    private readonly GradientBuffer _gradient;
    private readonly Tensor? _masters;
    private readonly Dictionary<string, Tensor> _state = [];

    private protected FlatOptimizer(IReadOnlyList<(string Name, Tensor Weights)> parameters, OptimizerConfig config)
    {
        Tensor[] tensors = [.. parameters.Select(parameter => parameter.Weights)];
        if (tensors.Length == 0) throw new R1Exception("There is nothing to train: no parameter requires a gradient.");
        if (tensors.FirstOrDefault(t => t.dtype != tensors[0].dtype) is { } other)
            throw new R1Exception($"The parameters are {tensors[0].dtype} and {other.dtype}; expected one precision. Load the model with an explicit dtype.");
        (Config, Names, Weights) = (config, [.. parameters.Select(parameter => parameter.Name)], tensors);
        _gradient = new GradientBuffer(tensors);
        if (tensors[0].dtype == _gradient.Dtype) return;

        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        _masters = Buffer(Enumerable.Range(0, tensors.Length));
        Weights = GradientBuffer.Slice(_masters, tensors);
        for (int i = 0; i < tensors.Length; i++) Weights[i].copy_(tensors[i]);
        AddState(MasterPrefix, Enumerable.Range(0, tensors.Length), Weights);
    }

    /// <inheritdoc/>
    public long Steps { get; private set; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> State => _state;

    /// <summary>Settings.</summary>
    private protected OptimizerConfig Config { get; }

    /// <summary>[parameter]</summary>
    private protected string[] Names { get; }

    /// <summary>[parameter] what is updated: the weights themselves or their masters.</summary>
    private protected Tensor[] Weights { get; }

    /// <summary>[parameter] in the precision of <see cref="Weights"/>.</summary>
    private protected Tensor[] Gradients => _gradient.Views;

    /// <inheritdoc/>
    public void ZeroGradient() => _gradient.Zero();

    /// <inheritdoc/>
    public void CollectGradient() => _gradient.Collect();

    /// <inheritdoc/>
    public double Step(double learningRate)
    {
        double norm = _gradient.Norm();
        if (!double.IsFinite(norm)) return norm;
        Steps++;
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        Apply(learningRate, GradientClip.Divisor(norm, Config.MaxGradNorm));
        if (_masters is not null)
            for (int i = 0; i < Weights.Length; i++) _gradient.Parameters[i].copy_(Weights[i]);
        return norm;
    }

    /// <inheritdoc/>
    public void Restore(IReadOnlyDictionary<string, Tensor> state, long steps)
    {
        foreach (var (name, tensor) in State)
        {
            if (!state.TryGetValue(name, out var saved)) throw new R1Exception($"The saved optimizer state has no tensor '{name}': it belongs to another model.");
            if (!saved.shape.SequenceEqual(tensor.shape))
                throw new R1Exception($"The saved optimizer state '{name}' is [{string.Join(", ", saved.shape)}], expected [{string.Join(", ", tensor.shape)}]: it belongs to another model.");
        }
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, tensor) in State) tensor.copy_(state[name]);
        Steps = steps;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var view in _state.Values) view.Dispose();
        _masters?.Dispose();
        _gradient.Dispose();
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Those parameters of a model, or of the adapter on it, that are trained.</summary>
    private protected static IReadOnlyList<(string Name, Tensor Weights)> Trained(DecoderModel model) =>
        [.. model.TrainedParameters.Select(parameter => (parameter.Key, (Tensor)parameter.Value))];

    /// <summary>Updates <see cref="Weights"/>; inside a dispose scope and without autograd.</summary>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="divisor">What the gradient is to be divided by so that it is clipped.</param>
    private protected abstract void Apply(double learningRate, double divisor);

    /// <summary>Frees the state of the derived class.</summary>
    protected abstract void Dispose(bool disposing);

    /// <summary>A flat buffer of zeros for some parameters.</summary>
    private protected Tensor Buffer(IEnumerable<int> parameters) =>
        zeros(parameters.Sum(i => Weights[i].numel()), dtype: _gradient.Dtype, device: Weights[0].device).DetachFromDisposeScope();

    /// <summary>Names the views of a buffer, in the shapes of its parameters.</summary>
    private protected Tensor[] AddState(string prefix, IEnumerable<int> parameters, Tensor buffer) =>
        AddState(prefix, parameters, GradientBuffer.Slice(buffer, [.. parameters.Select(i => Weights[i])]));

    /// <summary>Names a tensor of a parameter's state.</summary>
    private protected void AddState(string prefix, int parameter, Tensor state) => _state[prefix + Names[parameter]] = state;

    /// <summary>True for what looks tokens up or scores them; the rest mixes hidden states.</summary>
    private protected static bool IsEmbeddingOrHead(string name) =>
        name.Contains("embed", StringComparison.Ordinal) || name.StartsWith("lm_head", StringComparison.Ordinal) || name.StartsWith("score", StringComparison.Ordinal);

    private Tensor[] AddState(string prefix, IEnumerable<int> parameters, Tensor[] views)
    {
        foreach (var (index, view) in parameters.Zip(views)) _state[prefix + Names[index]] = view;
        return views;
    }
}
