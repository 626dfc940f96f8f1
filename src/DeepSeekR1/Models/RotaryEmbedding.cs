using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>
/// Rotary position embedding (Su et al. 2021, "RoFormer"), in the half-split layout of Hugging Face weights: element i turns together
/// with element i + width/2. With signed frequencies, (-f, f), the sine carries the rotation's sign, so that
/// rotated = x * cos + roll(x, width/2) * sin.
/// </summary>
internal sealed class RotaryEmbedding : IDisposable
{
    private readonly Tensor _signedFrequencies;
    private readonly double _multiplier;

    public RotaryEmbedding(int width, double theta, RopeScaling? scaling, Device device)
    {
        float[] frequencies = Frequencies(width, theta, scaling);
        _signedFrequencies = tensor([.. frequencies.Select(f => -f), .. frequencies], ScalarType.Float32, device).DetachFromDisposeScope();
        _multiplier = scaling?.RotationMultiplier ?? 1;
    }

    /// <summary>Cosine and signed sine, each [batch or 1, sequence, 1, width], of int64 positions [batch or 1, sequence].</summary>
    public Rotation At(Tensor positions, ScalarType dtype)
    {
        var angles = positions.unsqueeze(-1).unsqueeze(-1) * _signedFrequencies;
        var (cos, sin) = (angles.cos(), angles.sin());
        return _multiplier == 1 ? new(cos.to(dtype), sin.to(dtype)) : new((cos * _multiplier).to(dtype), (sin * _multiplier).to(dtype));
    }

    public void Dispose() => _signedFrequencies.Dispose();

    /// <summary>Angle a position turns each pair by: theta^(-2i/width), stretched as the scaling says.</summary>
    internal static float[] Frequencies(int width, double theta, RopeScaling? scaling)
    {
        var frequencies = new float[width / 2];
        for (int pair = 0; pair < frequencies.Length; pair++)
        {
            double frequency = Math.Pow(theta, -2.0 * pair / width);
            frequencies[pair] = (float)(scaling?.Kind switch
            {
                null => frequency,
                RopeScalingKind.Linear => frequency / scaling.Factor,
                RopeScalingKind.Llama3 => StretchLlama3(frequency, scaling),
                RopeScalingKind.Yarn => StretchYarn(frequency, pair, width, theta, scaling),
                var kind => throw new ArgumentOutOfRangeException(nameof(scaling), kind, "unknown rotary scaling"),
            });
        }
        return frequencies;
    }

    /// <summary>Between divided by the factor (from the pair that turns BetaSlow times on) and kept (up to the one that turns BetaFast times).</summary>
    private static double StretchYarn(double frequency, int pair, int width, double theta, RopeScaling scaling)
    {
        double low = PairTurning(scaling.BetaFast), high = PairTurning(scaling.BetaSlow);
        if (scaling.Truncate) (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, width - 1));
        if (low == high) high += 0.001;
        double divided = Math.Clamp((pair - low) / (high - low), 0, 1);
        return divided * frequency / scaling.Factor + (1 - divided) * frequency;

        double PairTurning(double turns) => width * Math.Log(scaling.OriginalMaxPositions / (turns * 2 * Math.PI)) / (2 * Math.Log(theta));
    }

    private static double StretchLlama3(double frequency, RopeScaling scaling)
    {
        double turns = scaling.OriginalMaxPositions * frequency / (2 * Math.PI);
        double kept = Math.Clamp((turns - scaling.LowFrequencyFactor) / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor), 0, 1);
        return kept * frequency + (1 - kept) * frequency / scaling.Factor;
    }
}

/// <summary>Cosine and signed sine of the positions of one forward pass.</summary>
internal readonly record struct Rotation(Tensor Cos, Tensor SignedSin)
{
    /// <summary>Turns [batch, sequence, heads, width].</summary>
    public Tensor Apply(Tensor x) => Kernels.Turn(x, Cos, SignedSin);
}
