namespace DeepSeekR1.Models;

/// <summary>How rotary frequencies are stretched beyond the positions a model was first trained on.</summary>
public enum RopeScalingKind
{
    /// <summary>All frequencies divided by the factor (Chen et al. 2023, "Extending Context Window via Positional Interpolation").</summary>
    Linear,
    /// <summary>Llama 3.1: long wavelengths divided by the factor, short ones kept, a smooth ramp between.</summary>
    Llama3,
}

/// <summary>The settings of a stretched rotary embedding (<c>rope_scaling</c>).</summary>
public sealed record RopeScaling
{
    /// <summary>Which formula.</summary>
    public required RopeScalingKind Kind { get; init; }

    /// <summary>How many times longer the context becomes.</summary>
    public required double Factor { get; init; }

    /// <summary>Positions before stretching; Llama3 only.</summary>
    public int OriginalMaxPositions { get; init; }

    /// <summary>Llama3: wavelengths above original positions / this are divided by the factor.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama3: wavelengths below original positions / this are kept.</summary>
    public double HighFrequencyFactor { get; init; } = 4;
}
