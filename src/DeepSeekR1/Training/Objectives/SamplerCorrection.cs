using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// What is done where the sampler's probabilities q differ from the old policy's π_old as the trainer computes them (other kernels,
/// other precision): the loss is weighted with π_old / q ("Your Efficient RL Framework Secretly Brings You Off-Policy RL Training", 2025).
/// </summary>
public enum SamplerCorrectionMode
{
    /// <summary>Nothing.</summary>
    None,
    /// <summary>Each token's ratio, clamped.</summary>
    TokenTruncate,
    /// <summary>Each token's ratio; tokens outside the bounds weigh nothing.</summary>
    TokenMask,
    /// <summary>The sequence's ratio, clamped.</summary>
    SequenceTruncate,
    /// <summary>The sequence's ratio; sequences outside the bounds weigh nothing.</summary>
    SequenceMask,
}

/// <summary>Weights against a sampler whose probabilities differ from the trainer's.</summary>
public sealed record SamplerCorrectionConfig
{
    /// <summary>Whose ratio it is, and what happens outside the bounds.</summary>
    [Description("Whose ratio it is, and what happens outside the bounds.")]
    public SamplerCorrectionMode Mode { get; init; } = SamplerCorrectionMode.None;

    /// <summary>Smallest ratio; null: none.</summary>
    [Description("Smallest ratio; null for none."), Range(0, 1)]
    public double? Min { get; init; }

    /// <summary>Largest ratio; null: none.</summary>
    [Description("Largest ratio; null for none."), Range(1, 1e6)]
    public double? Max { get; init; } = 3;
}

/// <summary>The weights of one micro-batch; no gradient flows through them.</summary>
internal sealed class SamplerWeights
{
    private readonly Segments _sequences;
    private readonly Tensor _ratio;
    private readonly bool _isSequenceLevel;

    private SamplerWeights(Segments sequences, Tensor ratio, bool isSequenceLevel) =>
        (_sequences, _ratio, _isSequenceLevel) = (sequences, ratio, isSequenceLevel);

    /// <summary>[token]</summary>
    public Tensor PerToken => _isSequenceLevel ? _sequences.Spread(_ratio) : _ratio;

    /// <summary>[sequence] logarithm of the sequence's weight, each factor at least <paramref name="smallest"/>.</summary>
    public Tensor LogPerSequence(double smallest)
    {
        var log = _ratio.clamp(min: smallest).log();
        return _isSequenceLevel ? log : _sequences.Sum(log);
    }

    /// <summary>The weights; null where there is nothing to correct.</summary>
    public static SamplerWeights? Of(SamplerCorrectionConfig config, Tensor old, Tensor? sampler, Segments sequences)
    {
        if (config.Mode == SamplerCorrectionMode.None || sampler is null) return null;
        bool isSequenceLevel = config.Mode is SamplerCorrectionMode.SequenceTruncate or SamplerCorrectionMode.SequenceMask;
        var logRatio = old.detach() - sampler;
        var ratio = (isSequenceLevel ? sequences.Sum(logRatio) : logRatio).exp();
        var bounded = ratio.clamp(config.Min ?? double.NegativeInfinity, config.Max ?? double.PositiveInfinity);
        if (config.Mode is SamplerCorrectionMode.TokenMask or SamplerCorrectionMode.SequenceMask)
            bounded = where(bounded.eq(ratio), ratio, zeros_like(ratio));
        return new SamplerWeights(sequences, bounded, isSequenceLevel);
    }

    /// <summary>How far sampler and trainer are apart, in log-probability.</summary>
    public static void ObserveDifference(Tensor old, Tensor sampler, LossMetrics metrics)
    {
        if (sampler.numel() == 0) return;
        var difference = (old.detach() - sampler).abs();
        metrics.Mean("sampling/logp_difference/mean", difference.sum(), difference.numel());
        metrics.Max("sampling/logp_difference/max", difference.max());
    }

    /// <summary>Adds smallest, mean and largest weight.</summary>
    public void Observe(LossMetrics metrics)
    {
        if (_ratio.numel() == 0) return;
        metrics.Min("sampling/importance_sampling_ratio/min", _ratio.min());
        metrics.Mean("sampling/importance_sampling_ratio/mean", _ratio.sum(), _ratio.numel());
        metrics.Max("sampling/importance_sampling_ratio/max", _ratio.max());
    }
}
