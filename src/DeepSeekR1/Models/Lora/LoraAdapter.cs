using DeepSeekR1.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>
/// A low-rank adapter on a model. While it is there only its own parameters are trained; switched off, the model is its own
/// reference, at no memory. Disposing it leaves the model as it was.
/// </summary>
public sealed class LoraAdapter : IDisposable
{
    private const string Prefix = "base_model.model.";

    private readonly DecoderModel _model;
    private readonly Dictionary<string, LoraDelta> _deltas = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Parameter> _parameters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Tensor> _unmerged = new(StringComparer.Ordinal);
    private readonly List<Parameter> _frozen;

    private LoraAdapter(DecoderModel model, LoraConfig config)
    {
        if (model.Adapter is not null) throw new R1Exception("the model has an adapter already; merge or dispose it first.");
        (_model, Config) = (model, config);
        _frozen = [.. model.Parameters.Values.Where(parameter => parameter.requires_grad)];
    }

    /// <summary>Its settings.</summary>
    public LoraConfig Config { get; }

    /// <summary>The two matrices of each projection by PEFT's names: <c>base_model.model.….q_proj.lora_A.weight</c>.</summary>
    public IReadOnlyDictionary<string, Parameter> Parameters => _parameters;

    /// <summary>Names of the projections it is attached to, with <see cref="LoraConfig.AllLinear"/> spelled out.</summary>
    public IReadOnlyList<string> TargetModules => Config.TargetModules.Contains(LoraConfig.AllLinear)
        ? [.. _deltas.Keys.Select(LastName).Distinct().Order(StringComparer.Ordinal)] : Config.TargetModules;

    /// <summary>True while the base weights hold the adapter's sum.</summary>
    public bool IsMerged => _unmerged.Count > 0;

    /// <summary>A fresh adapter: A uniform in ±1/sqrt(inputs), B zero, so that the model starts as it was.</summary>
    /// <exception cref="R1Exception">An impossible setting, a target that the model does not have, or an adapter that is there already.</exception>
    public static LoraAdapter Attach(DecoderModel model, LoraConfig config, AddressedRandom init) => Attach(model, config, (name, shape) =>
    {
        if (name.EndsWith("lora_B.weight", StringComparison.Ordinal)) return zeros(shape, model.Dtype, model.Device);
        var stream = init.Stream(step: StableIndex(model, name));
        double bound = 1 / Math.Sqrt(shape[1]);
        var values = new float[shape[0] * shape[1]];
        for (int i = 0; i < values.Length; i++) values[i] = (float)((2 * stream.Uniform() - 1) * bound);
        return tensor(values, shape).to(model.Dtype, model.Device);
    });

    /// <summary>Attaches matrices that the source gives by PEFT name and shape.</summary>
    internal static LoraAdapter Attach(DecoderModel model, LoraConfig config, Func<string, long[], Tensor> source)
    {
        if (config.Rank <= 0) throw new R1Exception($"lora: the rank must be positive, found {config.Rank}.");
        var adapter = new LoraAdapter(model, config);
        var targets = model.Linears.Where(linear => config.Targets(linear.Key)).ToList();
        if (targets.Count == 0)
            throw new R1Exception($"lora: no projection of {model.Config.Architecture} is named {string.Join(", ", config.TargetModules)}; " +
                $"known are {string.Join(", ", model.Linears.Keys.Select(LastName).Distinct())} and {LoraConfig.AllLinear}.");
        try
        {
            adapter.AddMatrices(targets, source);
        }
        catch
        {
            adapter.Dispose();
            throw;
        }
        foreach (var parameter in adapter._frozen) parameter.requires_grad_(false);
        adapter.Enable();
        model.Adapter = adapter;
        return adapter;
    }

    /// <summary>Switches the adapter off until the result is disposed: the reference model.</summary>
    /// <exception cref="InvalidOperationException">It is merged.</exception>
    public IDisposable Disabled()
    {
        if (IsMerged) throw new InvalidOperationException("a merged adapter cannot be switched off; unmerge it first");
        Disable();
        return new Once(Enable);
    }

    /// <summary>Gives the matrices other values, by PEFT's names, until the result is disposed.</summary>
    internal IDisposable Holding(IReadOnlyDictionary<string, Tensor> values)
    {
        var own = Copy();
        Assign(values);
        return new Once(() =>
        {
            Assign(own);
            foreach (var value in own.Values) value.Dispose();
        });
    }

    /// <summary>The values that the matrices have now, by PEFT's names; the caller's to dispose.</summary>
    internal Dictionary<string, Tensor> Copy()
    {
        using var noGrad = no_grad();
        return _parameters.ToDictionary(parameter => parameter.Key, parameter => parameter.Value.detach().clone().DetachFromDisposeScope(), StringComparer.Ordinal);
    }

    /// <summary>Adds the adapter to the base weights, so that the model runs at full speed or is saved whole.</summary>
    public void Merge()
    {
        if (IsMerged) return;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (string name in _deltas.Keys)
        {
            var linear = _model.Linears[name];
            _unmerged[name] = linear.BaseWeight.detach().clone().DetachFromDisposeScope();
            linear.BaseWeight.copy_(linear.MergedWeight());
        }
        Disable();
    }

    /// <summary>Puts the base weights back, bit for bit.</summary>
    public void Unmerge()
    {
        if (!IsMerged) return;
        using var noGrad = no_grad();
        foreach (var (name, original) in _unmerged)
        {
            _model.Linears[name].BaseWeight.copy_(original);
            original.Dispose();
        }
        _unmerged.Clear();
        Enable();
    }

    /// <summary>Takes the adapter off. Merged weights stay merged.</summary>
    public void Dispose()
    {
        Disable();
        if (_model.Adapter == this) _model.Adapter = null;
        foreach (var original in _unmerged.Values) original.Dispose();
        foreach (var parameter in _parameters.Values) parameter.Dispose();
        foreach (var parameter in _frozen.Where(parameter => !parameter.IsInvalid)) parameter.requires_grad_(true);
    }

    private static string LastName(string module) => module[(module.LastIndexOf('.') + 1)..];

    private static int StableIndex(DecoderModel model, string name) => model.Linears.Keys.ToList().FindIndex(module => name == $"{Prefix}{module}.lora_A.weight");

    private void AddMatrices(List<KeyValuePair<string, Linear>> targets, Func<string, long[], Tensor> source)
    {
        using var noGrad = no_grad();
        foreach (var (name, linear) in targets)
        {
            long outputs = linear.BaseWeight.shape[0], inputs = linear.BaseWeight.shape[1];
            var a = Add($"{Prefix}{name}.lora_A.weight", [Config.Rank, inputs], source);
            var b = Add($"{Prefix}{name}.lora_B.weight", [outputs, Config.Rank], source);
            _deltas[name] = new LoraDelta(a, b, Config.Scale);
        }
    }

    private Parameter Add(string name, long[] shape, Func<string, long[], Tensor> source) => _parameters[name] = ParameterFactory.Own(source(name, shape), trainable: true);

    private void Enable()
    {
        foreach (var (name, delta) in _deltas) _model.Linears[name].Delta = delta;
    }

    private void Disable()
    {
        foreach (string name in _deltas.Keys) _model.Linears[name].Delta = null;
    }

    private void Assign(IReadOnlyDictionary<string, Tensor> values)
    {
        using var noGrad = no_grad();
        foreach (var (name, parameter) in _parameters) parameter.copy_(values[name]);
    }

    private sealed class Once(Action undo) : IDisposable
    {
        public void Dispose() => undo();
    }
}
