using TorchSharp.Modules;

namespace DeepSeekR1.Models;

/// <summary>The parameters of a model by name, and the parts that are made of them.</summary>
internal sealed class ModelParameters(IReadOnlyDictionary<string, Parameter> parameters)
{
    private readonly Dictionary<string, Linear> _linears = new(StringComparer.Ordinal);

    public Parameter this[string name] => parameters[name];

    /// <summary>Every projection handed out so far, by its name without ".weight": what adapters attach to.</summary>
    public IReadOnlyDictionary<string, Linear> Linears => _linears;

    public Parameter? Find(string name) => parameters.GetValueOrDefault(name);

    public Linear Linear(string name) => _linears[name] = new Linear(parameters[name + ".weight"], Find(name + ".bias"));

    public RmsNorm Norm(string name, double epsilon) => new(parameters[name + ".weight"], epsilon);
}
