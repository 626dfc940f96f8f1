using DeepSeekR1.Checkpoints;
using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// The model that KL is measured from: a frozen copy of the policy or, where an adapter is trained, the policy itself with the adapter
/// switched off, which takes no memory; once it was replaced, with the adapter as it was then.
/// </summary>
internal sealed class ReferenceModel : IDisposable
{
    private readonly CausalLM _policy;
    private readonly CausalLM? _copy;
    private Dictionary<string, Tensor>? _adapter;

    public ReferenceModel(CausalLM policy) => (_policy, _copy) = (policy, policy.Adapter is null ? policy.Copy(trainable: false) : null);

    /// <summary>Its weights, as far as they are its own; empty while it is the policy without its adapter.</summary>
    public IReadOnlyDictionary<string, Tensor> State =>
        _copy?.Parameters.ToDictionary(pair => pair.Key, Tensor (pair) => pair.Value) ?? _adapter ?? [];

    /// <summary>Computes something of it.</summary>
    public T Compute<T>(Func<CausalLM, T> compute)
    {
        if (_copy is not null) return compute(_copy);
        using var held = _adapter is null ? _policy.Adapter!.Disabled() : _policy.Adapter!.Holding(_adapter);
        return compute(_policy);
    }

    /// <summary>Makes it what the policy is now, or a mixture of that and itself.</summary>
    /// <param name="mixup">The policy's share; less than one mixes weights, which an adapter's two factors do not allow.</param>
    public void Replace(double mixup = 1)
    {
        if (_copy is not null)
        {
            _copy.CopyFrom(_policy, mixup);
            return;
        }
        DisposeAdapter();
        _adapter = _policy.Adapter!.Copy();
    }

    /// <summary>Reads what was <see cref="State"/>.</summary>
    /// <exception cref="R1Exception">The file is missing, broken, or of another model.</exception>
    public void Restore(string file)
    {
        if (_copy is null && !File.Exists(file)) return;
        Replace();
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var weights = SafeTensors.Open(file);
        foreach (var (name, tensor) in State) tensor.copy_(weights.Read(name));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _copy?.Dispose();
        DisposeAdapter();
    }

    private void DisposeAdapter()
    {
        if (_adapter is null) return;
        foreach (var matrix in _adapter.Values) matrix.Dispose();
        _adapter = null;
    }
}
