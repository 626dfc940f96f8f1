using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>AdamW (arXiv 1711.05101). Matrices decay; vectors (biases, norm weights) do not.</summary>
public sealed class AdamW : FlatOptimizer
{
    private readonly Tensor _means, _squares;
    private readonly Tensor[] _meanViews, _squareViews;
    private readonly int[] _decaying, _lasting;

    /// <summary>Begins with means of zero; masters begin as the weights.</summary>
    /// <param name="parameters">Weights by name; they stay the caller's.</param>
    /// <param name="config">Settings.</param>
    /// <exception cref="R1Exception">There are no parameters, or of several precisions.</exception>
    public AdamW(IReadOnlyList<(string Name, Tensor Weights)> parameters, OptimizerConfig config) : base(parameters, config)
    {
        int[] all = [.. Enumerable.Range(0, Weights.Length)];
        (_means, _squares) = (Buffer(all), Buffer(all));
        (_meanViews, _squareViews) = (AddState("exp_avg.", all, _means), AddState("exp_avg_sq.", all, _squares));
        _decaying = [.. all.Where(i => Weights[i].dim() >= 2)];
        _lasting = [.. all.Where(i => Weights[i].dim() < 2)];
    }

    /// <summary>An optimizer of those parameters of a model that are trained.</summary>
    /// <exception cref="R1Exception">None is.</exception>
    public static AdamW For(DecoderModel model, OptimizerConfig config) => new(Trained(model), config);

    private protected override void Apply(double learningRate, double divisor)
    {
        Apply(_decaying, learningRate, divisor, Config.WeightDecay);
        Apply(_lasting, learningRate, divisor, 0);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _means.Dispose();
        _squares.Dispose();
    }

    private void Apply(int[] chosen, double learningRate, double divisor, double weightDecay)
    {
        Tensor[] Choose(Tensor[] all) => [.. chosen.Select(i => all[i])];
        FusedAdamW.Step(Choose(Weights), Choose(Gradients), Choose(_meanViews), Choose(_squareViews), Steps, divisor, learningRate, weightDecay, Config);
    }
}
