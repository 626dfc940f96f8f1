using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// AdamW (arXiv 1711.05101) by LibTorch's fused kernel, clipping included. Means are single precision in two flat buffers; weights of
/// lower precision have single-precision masters, without which a learning rate of 1e-6 would round to no change at all. Matrices
/// decay; vectors (biases, norm weights) do not.
/// </summary>
public sealed class AdamW : IOptimizer
{
    private const string Script = """
        def step(weights: List[Tensor], gradients: List[Tensor], means: List[Tensor], squares: List[Tensor], steps: List[Tensor], divisor: Tensor,
                 lr: float, beta1: float, beta2: float, eps: float, weight_decay: float):
            torch._fused_adamw_(weights, gradients, means, squares, [], steps, lr=lr, beta1=beta1, beta2=beta2, weight_decay=weight_decay,
                                eps=eps, amsgrad=False, maximize=False, grad_scale=divisor)
            return divisor

        """;

    private static readonly Lazy<jit.CompilationUnit> Fused = new(() => jit.compile(Script));

    private readonly OptimizerConfig _config;
    private readonly GradientBuffer _gradient;
    private readonly Tensor _means, _squares;
    private readonly Tensor? _masters;
    private readonly Tensor[] _meanViews, _squareViews, _weights;
    private readonly int[] _decaying, _lasting;

    /// <summary>Begins with means of zero; masters begin as the weights.</summary>
    /// <param name="parameters">Weights by name; they stay the caller's.</param>
    /// <param name="config">Settings.</param>
    /// <exception cref="R1Exception">There are no parameters, or of several precisions.</exception>
    public AdamW(IReadOnlyList<(string Name, Tensor Weights)> parameters, OptimizerConfig config)
    {
        Tensor[] tensors = [.. parameters.Select(parameter => parameter.Weights)];
        if (tensors.Length == 0) throw new R1Exception("There is nothing to train: no parameter requires a gradient.");
        if (tensors.FirstOrDefault(t => t.dtype != tensors[0].dtype) is { } other)
            throw new R1Exception($"The parameters are {tensors[0].dtype} and {other.dtype}; expected one precision. Load the model with an explicit dtype.");
        _config = config;
        _gradient = new GradientBuffer(tensors);

        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        long total = tensors.Sum(t => t.numel());
        _means = zeros(total, dtype: _gradient.Dtype, device: tensors[0].device).DetachFromDisposeScope();
        _squares = zeros_like(_means).DetachFromDisposeScope();
        (_meanViews, _squareViews, _weights) = (GradientBuffer.Slice(_means, tensors), GradientBuffer.Slice(_squares, tensors), tensors);
        if (tensors[0].dtype != _gradient.Dtype)
        {
            _masters = empty_like(_means).DetachFromDisposeScope();
            _weights = GradientBuffer.Slice(_masters, tensors);
            for (int i = 0; i < tensors.Length; i++) _weights[i].copy_(tensors[i]);
        }
        _decaying = [.. Enumerable.Range(0, tensors.Length).Where(i => tensors[i].dim() >= 2)];
        _lasting = [.. Enumerable.Range(0, tensors.Length).Where(i => tensors[i].dim() < 2)];
        State = NamedState([.. parameters.Select(parameter => parameter.Name)]);
    }

    /// <summary>An optimizer of those parameters of a model that are trained.</summary>
    /// <exception cref="R1Exception">None is.</exception>
    public static AdamW For(CausalLM policy, OptimizerConfig config) =>
        new([.. policy.Parameters.Where(parameter => parameter.Value.requires_grad).Select(parameter => (parameter.Key, (Tensor)parameter.Value))], config);

    /// <inheritdoc/>
    public long Steps { get; private set; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> State { get; }

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
        var divisor = full(1, GradientClip.Divisor(norm, _config.MaxGradNorm), dtype: ScalarType.Float32, device: _means.device);
        var steps = full(1, Steps, dtype: ScalarType.Float32, device: _means.device);
        Apply(_decaying, learningRate, _config.WeightDecay, divisor, steps);
        Apply(_lasting, learningRate, 0, divisor, steps);
        if (_masters is not null)
            for (int i = 0; i < _weights.Length; i++) _gradient.Parameters[i].copy_(_weights[i]);
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
        foreach (var view in State.Values) view.Dispose();
        _means.Dispose();
        _squares.Dispose();
        _masters?.Dispose();
        _gradient.Dispose();
    }

    private void Apply(int[] chosen, double learningRate, double weightDecay, Tensor divisor, Tensor steps)
    {
        if (chosen.Length == 0) return;
        Tensor[] Choose(IReadOnlyList<Tensor> all) => [.. chosen.Select(i => all[i])];
        Fused.Value.invoke("step", Choose(_weights), Choose(_gradient.Views), Choose(_meanViews), Choose(_squareViews), chosen.Select(_ => steps).ToArray(), divisor,
            learningRate, _config.Beta1, _config.Beta2, _config.Epsilon, weightDecay);
    }

    private Dictionary<string, Tensor> NamedState(string[] names)
    {
        var state = new Dictionary<string, Tensor>();
        for (int i = 0; i < names.Length; i++)
        {
            state[$"exp_avg.{names[i]}"] = _meanViews[i];
            state[$"exp_avg_sq.{names[i]}"] = _squareViews[i];
            if (_masters is not null) state[$"master.{names[i]}"] = _weights[i];
        }
        return state;
    }
}
