using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// AdamW (arXiv 1711.05101 alg. 2). Matrices decay; vectors (biases, norm weights) do not. With <see cref="OptimizerConfig.StateBits"/> 8 the moments
/// of large matrices take a byte each; those of vectors, embedding and head stay in single precision.
/// </summary>
public sealed class AdamW : FlatOptimizer
{
    private readonly Tensor _means, _squares;
    private readonly Dictionary<int, (Tensor Mean, Tensor Square)> _moments;
    private readonly Dictionary<int, EightBitMoments> _eightBit;
    private readonly DynamicCode _signed, _unsigned;
    private readonly int[] _decaying, _lasting;

    /// <summary>Begins with means of zero; masters begin as the weights.</summary>
    /// <param name="parameters">Weights by name; they stay the caller's.</param>
    /// <param name="config">Settings.</param>
    /// <exception cref="R1Exception">There are no parameters, or of several precisions.</exception>
    public AdamW(IReadOnlyList<(string Name, Tensor Weights)> parameters, OptimizerConfig config) : base(parameters, config)
    {
        (_signed, _unsigned) = (new DynamicCode(isSigned: true, Weights[0].dtype, Weights[0].device), new DynamicCode(isSigned: false, Weights[0].dtype, Weights[0].device));
        _eightBit = Enumerable.Range(0, Weights.Length).Where(IsEightBit).ToDictionary(i => i, i => new EightBitMoments(Weights[i], _signed, _unsigned));
        foreach (var (i, moments) in _eightBit)
        {
            AddState("exp_avg_8bit.", i, moments.Means.Codes);
            AddState("exp_avg_scale.", i, moments.Means.Scales);
            AddState("exp_avg_sq_root_8bit.", i, moments.Roots.Codes);
            AddState("exp_avg_sq_root_scale.", i, moments.Roots.Scales);
        }
        int[] full = [.. Enumerable.Range(0, Weights.Length).Where(i => !_eightBit.ContainsKey(i))];
        (_means, _squares) = (Buffer(full), Buffer(full));
        Tensor[] means = AddState("exp_avg.", full, _means), squares = AddState("exp_avg_sq.", full, _squares);
        _moments = full.Select((index, place) => (index, place)).ToDictionary(item => item.index, item => (means[item.place], squares[item.place]));
        _decaying = [.. full.Where(i => Weights[i].dim() >= 2)];
        _lasting = [.. full.Where(i => Weights[i].dim() < 2)];
    }

    /// <summary>An optimizer of those parameters of a model that are trained.</summary>
    /// <exception cref="R1Exception">None is.</exception>
    public static AdamW For(DecoderModel model, OptimizerConfig config) => new(Trained(model), config);

    private protected override void Apply(double learningRate, double divisor)
    {
        Apply(_decaying, learningRate, divisor, Config.WeightDecay);
        Apply(_lasting, learningRate, divisor, 0);
        foreach (var (i, moments) in _eightBit) moments.Step(Weights[i], Gradients[i], Steps, divisor, learningRate, Config.WeightDecay, Config);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _means.Dispose();
        _squares.Dispose();
        foreach (var moments in _eightBit.Values) moments.Dispose();
        _signed.Dispose();
        _unsigned.Dispose();
    }

    private bool IsEightBit(int i) =>
        Config.StateBits == 8 && Weights[i].dim() >= 2 && Weights[i].numel() >= EightBitMoments.SmallestParameter && !IsEmbeddingOrHead(Names[i]);

    private void Apply(int[] chosen, double learningRate, double divisor, double weightDecay) =>
        FusedAdamW.Step([.. chosen.Select(i => Weights[i])], [.. chosen.Select(i => Gradients[i])], [.. chosen.Select(i => _moments[i].Mean)],
            [.. chosen.Select(i => _moments[i].Square)], Steps, divisor, learningRate, weightDecay, Config);
}
