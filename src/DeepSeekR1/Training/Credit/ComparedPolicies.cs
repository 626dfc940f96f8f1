using DeepSeekR1.Models;
using DeepSeekR1.Rollouts;

namespace DeepSeekR1.Training;

/// <summary>Adds to samples what the loss compares the policy with: the old policy where several updates follow, the reference model where KL is paid.</summary>
/// <param name="policy">The model that learns.</param>
/// <param name="config">The algorithm.</param>
internal sealed class ComparedPolicies(PolicyModel policy, GrpoConfig config)
{
    /// <summary>True where later updates need log-probabilities of the old policy beside the sampler's; in bitwise mode they are the same.</summary>
    private bool NeedsOld => config.MiniBatches * config.InnerEpochs > 1 && config.OldPolicy == OldPolicy.Recomputed && !config.Bitwise;

    /// <summary>What scores the policy as it is now where it is not the update's own forward pass; null: nothing else does.</summary>
    public ICompletionScorer? Values { get; } = config.Bitwise ? new SamplerScorer(policy.Decoder, config.Sampling.Temperature) : null;

    /// <summary>[minibatch][sample] the samples with their log-probabilities under the policy as it is before the first update.</summary>
    public IReadOnlyList<IReadOnlyList<TrainingSample>> Attach(IReadOnlyList<IReadOnlyList<TrainingSample>> minibatches, ReferenceModel? reference)
    {
        TrainingSample[] run = [.. minibatches.SelectMany(samples => samples).Where(config.Loss.Runs)];
        float[][]? old = NeedsOld ? Scorer(policy.Model).LogProbs(run) : null;
        float[][]? ofReference = reference is not null && config.Loss.LossBeta != 0 ? LogProbs(reference, run) : null;
        int next = 0;
        TrainingSample Attached(TrainingSample sample)
        {
            if (!config.Loss.Runs(sample)) return sample;
            int place = next++;
            return sample with { OldLogProbs = old?[place], ReferenceLogProbs = ofReference?[place] };
        }
        return [.. minibatches.Select(samples => (IReadOnlyList<TrainingSample>)[.. samples.Select(Attached)])];
    }

    /// <summary>The groups as they are paid, with KL in the reward less what they diverged, and the mean divergence of a token; as they were where KL is not there.</summary>
    public (ScoredGroup[] Groups, double? Kl) Charge(ScoredGroup[] scored, CreditAssignment credit, ReferenceModel? reference)
    {
        if (reference is null || config.Loss is not { NeedsReference: true, KlPlacement: KlPlacement.Reward }) return (scored, null);
        var samples = credit.Assign(scored).Steps[0];
        float[][] ofReference = LogProbs(reference, samples);
        return KlPenalty.Charge(scored, [.. samples.Select((sample, i) => sample with { ReferenceLogProbs = ofReference[i] })], config.Loss);
    }

    /// <summary>
    /// The samples as an update takes them. As long as the policy is still the old one, its own log-probabilities serve, and
    /// show how far the sampler's are from them. Later updates compare with the sampler's, unless they were recomputed.
    /// </summary>
    public IReadOnlyList<TrainingSample> ForUpdate(IReadOnlyList<TrainingSample> samples, bool isPolicyOld) =>
        isPolicyOld || NeedsOld ? samples : [.. samples.Select(sample => sample with { OldLogProbs = sample.SamplerLogProbs })];

    /// <summary>Log-probabilities under the reference model, of the same kernels as the policy's.</summary>
    private float[][] LogProbs(ReferenceModel reference, IReadOnlyList<TrainingSample> samples) => reference.Compute(model =>
    {
        if (!config.Bitwise) return Scorer(model).LogProbs(samples);
        using var decoder = Decoders.For(model, policy.Runtime);
        return new SamplerScorer(() => decoder, config.Sampling.Temperature).LogProbs(samples);
    });

    private SequenceScorer Scorer(CausalLM model) => new(model, config.Sampling.Temperature, config.Batching);
}
