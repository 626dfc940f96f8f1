using DeepSeekR1.Models;

namespace DeepSeekR1.Training;

/// <summary>Adds to samples what the loss compares the policy with: the old policy where several updates follow, the reference model where KL is paid.</summary>
/// <param name="policy">The model that learns.</param>
/// <param name="config">The algorithm.</param>
internal sealed class ComparedPolicies(CausalLM policy, GrpoConfig config)
{
    /// <summary>[minibatch][sample] the samples with their log-probabilities under the policy as it is before the first update.</summary>
    public IReadOnlyList<IReadOnlyList<TrainingSample>> Attach(IReadOnlyList<IReadOnlyList<TrainingSample>> minibatches, ReferenceModel? reference)
    {
        bool needsOld = minibatches.Count * config.InnerEpochs > 1 && config.OldPolicy == OldPolicy.Recomputed;
        return [.. minibatches.Select(samples =>
        {
            float[][]? old = needsOld ? Scorer(policy).LogProbs(samples) : null, ofReference = reference?.Compute(model => Scorer(model).LogProbs(samples));
            return (IReadOnlyList<TrainingSample>)[.. samples.Select((sample, i) => sample with
            {
                OldLogProbs = old is null ? default : old[i],
                ReferenceLogProbs = ofReference is null ? default : ofReference[i],
            })];
        })];
    }

    /// <summary>
    /// The samples as an update takes them. In the first one the policy is still the old one: its own log-probabilities serve, and
    /// show how far the sampler's are from them. Later ones compare with the sampler's, unless they were recomputed.
    /// </summary>
    public IReadOnlyList<TrainingSample> ForUpdate(IReadOnlyList<TrainingSample> samples, bool isFirst) =>
        isFirst || config.OldPolicy == OldPolicy.Recomputed ? samples : [.. samples.Select(sample => sample with { OldLogProbs = sample.SamplerLogProbs })];

    private SequenceScorer Scorer(CausalLM model) => new(model, config.Sampling.Temperature, config.Batching);
}
