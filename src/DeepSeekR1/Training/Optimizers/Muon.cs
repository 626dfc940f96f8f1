using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// Muon (Keller Jordan, 2024; arXiv 2502.16982 eq. 1, 3): the momentum of each matrix, made orthogonal by Newton-Schulz iterations, is its
/// step. Embeddings, the head and vectors follow AdamW.
/// </summary>
public sealed class Muon : FlatOptimizer
{
    /// <summary>Coefficients of the quintic iteration X ← aX + (bA + cA²)X with A = XXᵀ, which pulls all singular values towards one.</summary>
    private const float A = 3.4445f, B = -4.775f, C = 2.0315f;

    private const double SmallestNorm = 1e-7;

    private readonly int[] _matrices, _decaying, _lasting;
    private readonly Tensor _momentum, _means, _squares;
    private readonly Tensor[] _momentumViews;
    private readonly Dictionary<int, (Tensor Mean, Tensor Square)> _moments;

    /// <summary>Begins with a momentum of zero; masters begin as the weights.</summary>
    /// <param name="parameters">Weights by name; they stay the caller's.</param>
    /// <param name="config">Settings.</param>
    /// <exception cref="R1Exception">There are no parameters, or of several precisions.</exception>
    public Muon(IReadOnlyList<(string Name, Tensor Weights)> parameters, OptimizerConfig config) : base(parameters, config)
    {
        int[] all = [.. Enumerable.Range(0, Weights.Length)];
        _matrices = [.. all.Where(i => Weights[i].dim() == 2 && !IsEmbeddingOrHead(Names[i]))];
        int[] rest = [.. all.Except(_matrices)];
        _decaying = [.. rest.Where(i => Weights[i].dim() >= 2)];
        _lasting = [.. rest.Where(i => Weights[i].dim() < 2)];
        (_momentum, _means, _squares) = (Buffer(_matrices), Buffer(rest), Buffer(rest));
        _momentumViews = AddState("momentum.", _matrices, _momentum);
        Tensor[] means = AddState("exp_avg.", rest, _means), squares = AddState("exp_avg_sq.", rest, _squares);
        _moments = rest.Select((index, place) => (index, place)).ToDictionary(item => item.index, item => (means[item.place], squares[item.place]));
    }

    /// <summary>An optimizer of those parameters of a model that are trained.</summary>
    /// <exception cref="R1Exception">None is.</exception>
    public static Muon For(DecoderModel model, OptimizerConfig config) => new(Trained(model), config);

    private protected override void Apply(double learningRate, double divisor)
    {
        for (int place = 0; place < _matrices.Length; place++)
        {
            using var scope = NewDisposeScope();
            int index = _matrices[place];
            Step(Weights[index], Gradients[index].div_(divisor), _momentumViews[place], learningRate);
        }
        ApplyAdamW(_decaying, learningRate, divisor, Config.WeightDecay);
        ApplyAdamW(_lasting, learningRate, divisor, 0);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _momentum.Dispose();
        _means.Dispose();
        _squares.Dispose();
    }

    /// <summary>The matrix nearest to one with all singular values one; in bfloat16 as published, which suffices. [rows, columns]</summary>
    internal static Tensor Orthogonalize(Tensor matrix, int iterations)
    {
        using var scope = NewDisposeScope();
        bool isTall = matrix.shape[0] > matrix.shape[1];
        var x = matrix.bfloat16();
        if (isTall) x = x.t();
        x.div_(x.norm().clamp(min: SmallestNorm));
        for (int i = 0; i < iterations; i++)
        {
            var gram = x.mm(x.t());
            x = x.addmm(gram.addmm(gram, gram, beta: B, alpha: C), x, beta: A);
        }
        return (isTall ? x.t() : x).to(matrix.dtype).MoveToOuterDisposeScope();
    }

    private void Step(Tensor weights, Tensor gradient, Tensor momentum, double learningRate)
    {
        var muon = Config.Muon;
        momentum.mul_(muon.Momentum).add_(gradient, 1 - muon.Momentum);
        var direction = muon.Nesterov ? gradient * (1 - muon.Momentum) + momentum * muon.Momentum : momentum;
        double rows = weights.shape[0], columns = weights.shape[1];
        double scale = muon.Scale == MuonScale.MatchAdamW ? 0.2 * Math.Sqrt(Math.Max(rows, columns)) : Math.Sqrt(Math.Max(1, rows / columns));
        weights.mul_(1 - learningRate * Config.WeightDecay);
        weights.add_(Orthogonalize(direction, muon.Iterations), -learningRate * scale);
    }

    private void ApplyAdamW(int[] chosen, double learningRate, double divisor, double weightDecay) =>
        FusedAdamW.Step([.. chosen.Select(i => Weights[i])], [.. chosen.Select(i => Gradients[i])], [.. chosen.Select(i => _moments[i].Mean)],
            [.. chosen.Select(i => _moments[i].Square)], Steps, divisor, learningRate, weightDecay, Config);
}
