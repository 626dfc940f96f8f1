namespace DeepSeekR1.Training;

/// <summary>
/// What one token's objective is divided by. B sequences make an optimizer step, |o| of a sequence's tokens are live (not masked).
/// </summary>
public enum LossNormalization
{
    /// <summary>1 / (B·|o|): each sequence weighs alike (GRPO, arXiv 2402.03300 eq. 3).</summary>
    Grpo,
    /// <summary>1 / Σ|o| over the optimizer step.</summary>
    Bnpo,
    /// <summary>
    /// 1 / Σ|o| over the whole sampled batch, times the number of optimizer steps made from it: each token weighs alike, whatever
    /// minibatch it falls into (DAPO, arXiv 2503.14476 eq. 8, 12).
    /// </summary>
    Dapo,
    /// <summary>1 / (B·L) with the constant L = longest completion allowed (Dr. GRPO, arXiv 2503.20783, section 3.2).</summary>
    DrGrpo,
    /// <summary>1 / B: a sequence weighs by its length (LUSPO, arXiv 2602.05261 eq. 7).</summary>
    Luspo,
}

/// <summary>Lengths of the sequences of an optimizer step → the weight of each of a sequence's live tokens.</summary>
public static class LossWeights
{
    /// <summary>One weight a sequence.</summary>
    /// <param name="normalization">The rule.</param>
    /// <param name="liveTokens">[sequence] number of tokens that are not masked, for every sequence of the optimizer step, empty ones too.</param>
    /// <param name="maxCompletionTokens">The longest completion allowed; read by Dr. GRPO alone.</param>
    /// <param name="tokensPerStep">Live tokens of the sampled batch divided by its optimizer steps, for DAPO; null: those of this step.</param>
    /// <exception cref="ArgumentOutOfRangeException">The normaliser is not positive.</exception>
    public static double[] PerToken(LossNormalization normalization, ReadOnlySpan<int> liveTokens, int maxCompletionTokens, double? tokensPerStep = null)
    {
        long total = 0;
        foreach (int live in liveTokens) total += live;
        double sequences = liveTokens.Length, tokens = Math.Max(total, 1);
        if (normalization == LossNormalization.Dapo && tokensPerStep is { } given)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(given, nameof(tokensPerStep));
            tokens = given;
        }
        if (normalization == LossNormalization.DrGrpo) ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxCompletionTokens);

        var weights = new double[liveTokens.Length];
        for (int i = 0; i < weights.Length; i++)
            weights[i] = 1 / normalization switch
            {
                LossNormalization.Grpo => sequences * Math.Max(liveTokens[i], 1),
                LossNormalization.Bnpo or LossNormalization.Dapo => tokens,
                LossNormalization.DrGrpo => sequences * maxCompletionTokens,
                LossNormalization.Luspo => sequences,
                _ => throw new ArgumentOutOfRangeException(nameof(normalization), normalization, "unknown normalization"),
            };
        return weights;
    }
}
