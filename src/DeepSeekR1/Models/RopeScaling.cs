namespace DeepSeekR1.Models;

/// <summary>How rotary frequencies are stretched beyond the positions a model was first trained on.</summary>
public enum RopeScalingKind
{
    /// <summary>All frequencies divided by the factor (Chen et al. 2023, "Extending Context Window via Positional Interpolation").</summary>
    Linear,
    /// <summary>Llama 3.1: long wavelengths divided by the factor, short ones kept, a smooth ramp between.</summary>
    Llama3,
    /// <summary>Peng et al. 2023, "YaRN": a ramp over dimensions between kept and divided, and warmer attention.</summary>
    Yarn,
}

/// <summary>The settings of a stretched rotary embedding (<c>rope_scaling</c>).</summary>
public sealed record RopeScaling
{
    /// <summary>Which formula.</summary>
    public required RopeScalingKind Kind { get; init; }

    /// <summary>How many times longer the context becomes.</summary>
    public required double Factor { get; init; }

    /// <summary>Positions before stretching; not for Linear.</summary>
    public int OriginalMaxPositions { get; init; }

    /// <summary>Llama3: wavelengths above original positions / this are divided by the factor.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama3: wavelengths below original positions / this are kept.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>Yarn: dimensions that turn more often than this over the original positions are kept.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>Yarn: dimensions that turn less often than this are divided by the factor.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>Yarn: the ramp begins and ends at whole dimensions.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>Yarn: what cosine and sine are multiplied with; null follows from the factor and the mscales.</summary>
    public double? AttentionFactor { get; init; }

    /// <summary>Yarn: weight of the logarithm in the multiplier of cosine and sine; 0 where not set.</summary>
    public double Mscale { get; init; }

    /// <summary>Yarn: the same over all dimensions; DeepSeek-V3 multiplies the attention logits with its square. 0 where not set.</summary>
    public double MscaleAllDim { get; init; }

    /// <summary>What cosine and sine are multiplied with; 1 but for Yarn.</summary>
    internal double RotationMultiplier =>
        Kind != RopeScalingKind.Yarn ? 1 :
        AttentionFactor ?? (Mscale != 0 && MscaleAllDim != 0 ? YarnMscale(Mscale) / YarnMscale(MscaleAllDim) : YarnMscale(1));

    /// <summary>0.1 * mscale * ln(factor) + 1 (YaRN, equation 22).</summary>
    internal double YarnMscale(double mscale) => Factor <= 1 ? 1 : 0.1 * mscale * Math.Log(Factor) + 1;

    /// <exception cref="R1Exception">The numbers give no rotation.</exception>
    internal void Validate(string fileName)
    {
        if (!(Factor > 0) || !double.IsFinite(Factor)) throw new R1Exception($"{fileName}: the rope factor must be positive, found {Factor}.");
        if (Kind != RopeScalingKind.Linear && OriginalMaxPositions <= 0)
            throw new R1Exception($"{fileName}: original_max_position_embeddings must be positive, found {OriginalMaxPositions}.");
        if (Kind == RopeScalingKind.Llama3 && !(HighFrequencyFactor > LowFrequencyFactor))
            throw new R1Exception($"{fileName}: high_freq_factor {HighFrequencyFactor} must be greater than low_freq_factor {LowFrequencyFactor}.");
        if (Kind == RopeScalingKind.Yarn && !(BetaFast > 0 && BetaSlow > 0))
            throw new R1Exception($"{fileName}: beta_fast {BetaFast} and beta_slow {BetaSlow} must be positive.");
    }
}
