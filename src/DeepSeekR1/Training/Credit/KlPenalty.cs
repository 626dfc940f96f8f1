using DeepSeekR1.Rollouts;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// KL in the reward: a completion is paid β·Σ KL of its live tokens less, before advantages are formed; no gradient flows through it
/// (RLOO: Ahmadian et al. 2024, arXiv 2402.14740, eq. 3).
/// </summary>
internal static class KlPenalty
{
    /// <summary>Groups whose totals are less what their tokens diverged, and the mean divergence of a token. A score that abstains still does.</summary>
    /// <param name="groups">Scored groups.</param>
    /// <param name="samples">[completion] in the order of the groups, with log-probabilities of sampler and reference.</param>
    /// <param name="config">Weight and estimator.</param>
    public static (ScoredGroup[] Groups, double Mean) Charge(IReadOnlyList<ScoredGroup> groups, IReadOnlyList<TrainingSample> samples, GrpoLossConfig config)
    {
        double[][] divergences = [.. samples.Select(sample => Of(sample, config.KlEstimator))];
        int next = 0;
        ScoredGroup[] charged = [.. groups.Select(group => group with
        {
            Scores = [.. group.Scores.Select(score => score with { Total = score.Total - config.Beta * divergences[next++].Sum() })],
        })];
        return (charged, divergences.SelectMany(tokens => tokens).DefaultIfEmpty(0).Average());
    }

    /// <summary>[live token]</summary>
    private static double[] Of(TrainingSample sample, KlEstimator estimator)
    {
        using var scope = NewDisposeScope();
        double[] Live(ReadOnlyMemory<float> values) => [.. Enumerable.Range(0, values.Length).Where(i => sample.Normalizer.Span[i] != 0).Select(i => (double)values.Span[i])];
        return KlDivergence.Estimate(estimator, tensor(Live(sample.SamplerLogProbs)), tensor(Live(sample.ReferenceLogProbs))).data<double>().ToArray();
    }
}
