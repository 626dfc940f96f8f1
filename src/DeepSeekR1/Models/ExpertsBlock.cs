using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>
/// A mixture of experts: each token goes through the few experts its router chooses, and through the shared ones. Tokens are sorted
/// by expert, so that each expert runs once over its own.
/// </summary>
internal sealed class ExpertsBlock : IFeedForward
{
    private readonly ExpertRouter _router;
    private readonly Mlp[] _experts;
    private readonly Mlp? _shared;
    private readonly int _perToken;

    public ExpertsBlock(ExpertsConfig config, ModelParameters parameters, string prefix)
    {
        _router = new ExpertRouter(config, parameters, prefix + "gate.");
        _experts = [.. Enumerable.Range(0, config.Count).Select(expert => new Mlp(parameters, $"{prefix}experts.{expert}."))];
        _shared = config.Shared > 0 ? new Mlp(parameters, prefix + "shared_experts.") : null;
        _perToken = config.PerToken;
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor x)
    {
        long hidden = x.shape[^1];
        var tokens = x.reshape(-1, hidden);
        var (experts, weights) = _router.Route(tokens);

        // A slot is one (token, choice) pair; slots sorted by expert lie together.
        var order = experts.reshape(-1).argsort();
        var sorted = tokens.index_select(0, order.div(_perToken, RoundingMode.floor));
        var outputs = RunExperts(sorted, CountPerExpert(experts)).index_select(0, order.argsort());
        var mixed = (outputs.view(-1, _perToken, hidden) * weights.to(x.dtype).unsqueeze(-1)).sum(1);
        if (_shared is not null) mixed = Kernels.Add(mixed, _shared.Forward(tokens));
        return mixed.view(x.shape);
    }

    private long[] CountPerExpert(Tensor experts) => experts.reshape(-1).bincount(weights: null, minlength: _experts.Length).cpu().data<long>().ToArray();

    private Tensor RunExperts(Tensor sorted, long[] counts)
    {
        var outputs = new List<Tensor>();
        long start = 0;
        for (int expert = 0; expert < _experts.Length; expert++)
        {
            if (counts[expert] == 0) continue;
            outputs.Add(_experts[expert].Forward(sorted.narrow(0, start, counts[expert])));
            start += counts[expert];
        }
        return cat(outputs, 0);
    }
}
