using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeepSeekR1.Training;

/// <summary>How a gradient becomes a step of the weights.</summary>
public sealed record OptimizerConfig
{
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
}
