using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeepSeekR1.Configuration;

namespace DeepSeekR1.Training;

/// <summary>How a gradient becomes a step of the weights.</summary>
public sealed record OptimizerConfig : IValidatedConfig
{
    /// <summary>The rule.</summary>
    [Description("The rule: AdamW, or Muon for matrices and AdamW for the rest.")]
    public OptimizerKind Kind { get; init; } = OptimizerKind.AdamW;

    /// <summary>Peak learning rate; the schedule multiplies it.</summary>
    [Description("Peak learning rate; the schedule multiplies it."), Range(0, 10)]
    public double LearningRate { get; init; } = 1e-6;

    /// <summary>Decay of the mean of gradients.</summary>
    [Description("Decay of the mean of gradients."), Range(0, 1)]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the mean of squared gradients.</summary>
    [Description("Decay of the mean of squared gradients."), Range(0, 1)]
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the mean square.</summary>
    [Description("Added to the root of the mean square."), Range(0, 1)]
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled decay of matrices; biases and norm weights do not decay.</summary>
    [Description("Decoupled decay of matrices; biases and norm weights do not decay."), Range(0, 10)]
    public double WeightDecay { get; init; }

    /// <summary>The gradient of all parameters together is scaled down to this length; 0 leaves it as it is.</summary>
    [Description("The gradient of all parameters together is scaled down to this length; 0 leaves it as it is."), Range(0, 1e6)]
    public double MaxGradNorm { get; init; } = 1;

    /// <summary>Bits of each of AdamW's two moments: 32, or 8 for those of large matrices.</summary>
    [Description("Bits of each of AdamW's two moments: 32, or 8 for those of matrices of at least 4096 weights, embedding and head excepted."), Range(8, 32)]
    public int StateBits { get; init; } = 32;

    /// <summary>Settings that Muon alone reads.</summary>
    [Description("Settings that Muon alone reads.")]
    public MuonConfig Muon { get; init; } = new();

    /// <inheritdoc/>
    public IEnumerable<ConfigProblem> Validate()
    {
        if (StateBits is not (8 or 32)) yield return new(nameof(StateBits), $"must be 8 or 32, but is {StateBits}");
        if (StateBits == 8 && Kind != OptimizerKind.AdamW) yield return new(nameof(StateBits), "must be 32 unless the optimizer is AdamW (kind: adam-w)");
    }
}

/// <summary>The rule by which a gradient becomes a step.</summary>
public enum OptimizerKind
{
    /// <summary><see cref="Training.AdamW"/></summary>
    AdamW,
    /// <summary><see cref="Training.Muon"/></summary>
    Muon,
}

/// <summary>How long a step of Muon is.</summary>
public enum MuonScale
{
    /// <summary>sqrt(max(1, rows / columns)) times the learning rate, as first published.</summary>
    Original,
    /// <summary>0.2·sqrt(max(rows, columns)): as long as AdamW's, so that AdamW's learning rate serves (arXiv 2502.16982 eq. 4).</summary>
    MatchAdamW,
}

/// <summary>Settings of Muon.</summary>
public sealed record MuonConfig
{
    /// <summary>Decay of the momentum.</summary>
    [Description("Decay of the momentum."), Range(0, 1)]
    public double Momentum { get; init; } = 0.95;

    /// <summary>Looks one step of momentum ahead.</summary>
    [Description("Looks one step of momentum ahead.")]
    public bool Nesterov { get; init; } = true;

    /// <summary>Newton-Schulz iterations.</summary>
    [Description("Newton-Schulz iterations."), Range(1, 100)]
    public int Iterations { get; init; } = 5;

    /// <summary>How long a step is.</summary>
    [Description("How long a step is: as first published, or as long as AdamW's.")]
    public MuonScale Scale { get; init; } = MuonScale.MatchAdamW;
}
