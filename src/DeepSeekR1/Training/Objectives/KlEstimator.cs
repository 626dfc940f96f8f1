using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// Estimators of KL(policy ‖ reference) from one sampled token with d = log π_ref - log π
/// (John Schulman, "Approximating KL Divergence", 2020).
/// </summary>
public enum KlEstimator
{
    /// <summary>-d: unbiased, of large variance; its own gradient vanishes on average, so it is of use in the reward and not in the loss.</summary>
    K1,
    /// <summary>d² / 2: its gradient is that of the true divergence when sampled from the policy.</summary>
    K2,
    /// <summary>exp(d) - d - 1: unbiased and never negative; what GRPO uses (arXiv 2402.03300 eq. 4).</summary>
    K3,
}

/// <summary>Where the divergence from the reference model is paid.</summary>
public enum KlPlacement
{
    /// <summary>Each token's loss has β·KL added, differentiated (GRPO, arXiv 2402.03300 eq. 3).</summary>
    Loss,
    /// <summary>Each completion's score has β·Σ KL of its tokens taken off before the advantage is formed (RLOO, arXiv 2402.14740 eq. 3).</summary>
    Reward,
}

/// <summary>The arithmetic of <see cref="KlEstimator"/>.</summary>
internal static class KlDivergence
{
    /// <summary>The estimate of each token.</summary>
    /// <param name="estimator">Which one.</param>
    /// <param name="logProbs">[token] under the policy.</param>
    /// <param name="reference">[token] under the reference model.</param>
    public static Tensor Estimate(KlEstimator estimator, Tensor logProbs, Tensor reference)
    {
        var d = reference - logProbs;
        return estimator switch
        {
            KlEstimator.K1 => -d,
            KlEstimator.K2 => d * d / 2,
            KlEstimator.K3 => d.exp() - d - 1,
            _ => throw new ArgumentOutOfRangeException(nameof(estimator), estimator, "unknown KL estimator"),
        };
    }
}
