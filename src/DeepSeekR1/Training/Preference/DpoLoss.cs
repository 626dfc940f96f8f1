using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>What is made of c and r: how much likelier, in logarithms, the policy finds the chosen and the rejected reply than the reference does.</summary>
public enum DpoLossKind
{
    /// <summary>-log σ(β(c - r)) (Rafailov et al. 2023, arXiv 2305.18290, eq. 7).</summary>
    Sigmoid,
    /// <summary>As <see cref="Sigmoid"/>, with c and r divided by the replies' lengths.</summary>
    SigmoidNorm,
    /// <summary>max(0, 1 - β(c - r)) (SLiC, arXiv 2305.10425).</summary>
    Hinge,
    /// <summary>(c - r - 1/(2β))², with c and r divided by the replies' lengths (IPO, arXiv 2310.12036, eq. 17).</summary>
    Ipo,
    /// <summary>The divergence from smoothed labels to σ(±β(c - r)) (EXO, arXiv 2402.00856, eq. 16).</summary>
    ExoPair,
    /// <summary>-log σ(βc) - ½ log σ(-βc) - ½ log σ(-βr) (NCA, arXiv 2402.05369).</summary>
    NcaPair,
    /// <summary><see cref="Sigmoid"/> made unbiased under flipped labels (arXiv 2403.00409, eq. 9).</summary>
    Robust,
    /// <summary>-log σ(βc) - log σ(-βr) (BCO, arXiv 2404.04656, with its running shift δ at 0, as on TRL's first step).</summary>
    BcoPair,
    /// <summary>(c - 1/(2β))² + (r + 1/(2β))² (SPPO, arXiv 2405.00675).</summary>
    SppoHard,
    /// <summary><see cref="Sigmoid"/> of differences sorted over the step (AOT, arXiv 2406.05882).</summary>
    Aot,
    /// <summary><see cref="Sigmoid"/> of c and r sorted apart (AOT, unpaired).</summary>
    AotUnpaired,
    /// <summary>1 - σ(βc) + σ(βr) (APO-zero, arXiv 2408.06266).</summary>
    ApoZero,
    /// <summary>σ(βc) + 1 - σ(β(c - r)) (APO-down).</summary>
    ApoDown,
    /// <summary>Logistic and exponential loss blended by σ(β(c - r)/0.05) (DiscoPOP, arXiv 2406.08414).</summary>
    Discopop,
}

/// <summary>Direct preference optimization and its kin: from log-probabilities of whole replies to one loss a pair.</summary>
internal static class DpoLoss
{
    private const double DiscopopTemperature = 0.05;

    /// <summary>[pair] losses.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="beta">β: how strongly the policy is held to the reference.</param>
    /// <param name="smoothing">Share of labels believed to be wrong; read by sigmoid, robust, exo-pair and aot.</param>
    /// <param name="chosen">[pair] c, summed over the reply's tokens.</param>
    /// <param name="rejected">[pair] r, likewise.</param>
    /// <param name="chosenLengths">[pair] tokens of the chosen replies.</param>
    /// <param name="rejectedLengths">[pair] tokens of the rejected replies.</param>
    public static Tensor Of(DpoLossKind kind, double beta, double smoothing, Tensor chosen, Tensor rejected, Tensor chosenLengths, Tensor rejectedLengths)
    {
        var lead = chosen - rejected;
        switch (kind)
        {
            case DpoLossKind.Sigmoid:
                return Smoothed(lead * beta);
            case DpoLossKind.SigmoidNorm:
                return Smoothed((chosen / chosenLengths - rejected / rejectedLengths) * beta);
            case DpoLossKind.Hinge:
                return nn.functional.relu(1 - lead * beta);
            case DpoLossKind.Ipo:
                return (chosen / chosenLengths - rejected / rejectedLengths - 1 / (2 * beta)).square();
            case DpoLossKind.ExoPair:
                double wrong = smoothing > 0 ? smoothing : 1e-3;
                return (lead * beta).sigmoid() * (LogSigmoid(lead * beta) - Math.Log(1 - wrong)) + (lead * -beta).sigmoid() * (LogSigmoid(lead * -beta) - Math.Log(wrong));
            case DpoLossKind.NcaPair:
                return -LogSigmoid(chosen * beta) - LogSigmoid(chosen * -beta) * 0.5 - LogSigmoid(rejected * -beta) * 0.5;
            case DpoLossKind.Robust:
                return (LogSigmoid(lead * -beta) * smoothing - LogSigmoid(lead * beta) * (1 - smoothing)) / (1 - 2 * smoothing);
            case DpoLossKind.BcoPair:
                return -LogSigmoid(chosen * beta) - LogSigmoid(rejected * -beta);
            case DpoLossKind.SppoHard:
                return (chosen - 0.5 / beta).square() + (rejected + 0.5 / beta).square();
            case DpoLossKind.AotUnpaired:
                return Smoothed((Sorted(chosen) - Sorted(rejected)) * beta);
            case DpoLossKind.ApoZero:
                return 1 - (chosen * beta).sigmoid() + (rejected * beta).sigmoid();
            case DpoLossKind.ApoDown:
                return (chosen * beta).sigmoid() + 1 - (lead * beta).sigmoid();
            case DpoLossKind.Discopop:
                var blend = (lead * (beta / DiscopopTemperature)).sigmoid();
                return -LogSigmoid(lead * beta) * (1 - blend) + (lead * -beta).exp() * blend;
            default:
                throw new InvalidOperationException($"{kind} compares policy and reference apart");
        }

        Tensor Smoothed(Tensor logits) => LogSigmoid(logits) * (smoothing - 1) - LogSigmoid(-logits) * smoothing;
    }

    /// <summary>[pair] losses of <see cref="DpoLossKind.Aot"/>, which sorts the policy's leads and the reference's apart.</summary>
    public static Tensor Aot(double beta, double smoothing, Tensor lead, Tensor referenceLead)
    {
        var logits = (Sorted(lead) - Sorted(referenceLead)) * beta;
        return LogSigmoid(logits) * (smoothing - 1) - LogSigmoid(-logits) * smoothing;
    }

    private static Tensor LogSigmoid(Tensor x) => nn.functional.logsigmoid(x);

    private static Tensor Sorted(Tensor x) => x.sort(0).Values;
}
