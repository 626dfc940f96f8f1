using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// One optimizer step of GRPO and its relatives: samples with their credit → gradient → weights. Synchronous; every tensor dies with
/// its micro-batch.
/// </summary>
/// <param name="policy">The model that learns.</param>
/// <param name="optimizer">Of the policy's parameters.</param>
/// <param name="config">The loss.</param>
/// <param name="temperature">The sampling temperature, so that the trained distribution is the sampled one.</param>
/// <param name="batching">How a step is cut for the machine.</param>
public sealed class GrpoUpdate(CausalLM policy, IOptimizer optimizer, GrpoLossConfig config, double temperature, BatchConfig batching)
{
    private readonly MemoryBudget _memory = new(batching, policy.Device);
    private readonly TokenGradient _gradient = new(policy, temperature, batching);
    private readonly GrpoLoss _loss = new(config);

    /// <summary>
    /// Computes the log-probabilities that the loss is evaluated at, in place of the forward pass that is differentiated; null: none.
    /// The gradient with respect to them goes on through LibTorch's pass in either case.
    /// </summary>
    internal ICompletionScorer? Values { get; init; }

    /// <summary>Makes one step from all samples together. Samples without any gradient are not run.</summary>
    /// <param name="samples">Samples with their credit.</param>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="entropyBonus">Weight of the mean entropy in this step; null: the configuration's.</param>
    /// <exception cref="ArgumentException">A sample contradicts itself.</exception>
    /// <exception cref="R1Exception">KL is asked for and a sample has no reference log-probabilities.</exception>
    public UpdateReport Step(IReadOnlyList<TrainingSample> samples, double learningRate, double? entropyBonus = null) => Step(samples, learningRate, entropyBonus, clock: null);

    /// <inheritdoc cref="Step(IReadOnlyList{TrainingSample}, double, double?)"/>
    internal UpdateReport Step(IReadOnlyList<TrainingSample> samples, double learningRate, double? entropyBonus, PhaseClock? clock)
    {
        foreach (var sample in samples) sample.Validate();
        var live = Live(samples);
        var constants = Constants(samples) with { EntropyBonus = entropyBonus };
        float[][]? values = Values?.LogProbs(live);
        return OptimizerStep.Run(live, _memory, optimizer, policy, learningRate, (batch, metrics) => Accumulate(live, batch, values, constants, metrics, clock), clock);
    }

    /// <summary>The gradient of the step, left in the optimizer and not applied.</summary>
    internal LossMetrics Gradient(IReadOnlyList<TrainingSample> samples)
    {
        var live = Live(samples);
        var constants = Constants(samples);
        float[][]? values = Values?.LogProbs(live);
        return OptimizerStep.Gradient(live, _memory, optimizer, policy, (batch, metrics) => Accumulate(live, batch, values, constants, metrics)).Metrics;
    }

    private void Accumulate(List<TrainingSample> samples, MicroBatch batch, float[][]? values, StepConstants constants, LossMetrics metrics, PhaseClock? clock = null) =>
        _gradient.Accumulate(batch, (_, logProbs, entropies) =>
        {
            var loss = _loss.Evaluate(Tokens(samples, batch, logProbs, entropies), constants, metrics);
            metrics.Collect();
            return loss;
        }, hasEntropyGradient: config.HasEntropyBonus,
        values is null ? null : batch.Gather((index, position) => values[index][position - samples[index].PromptLength], ScalarType.Float32), clock);

    private List<TrainingSample> Live(IReadOnlyList<TrainingSample> samples) => [.. samples.Where(config.Runs)];

    /// <summary>What one token's loss owes to the rest of the step; costs a forward pass where entropies decide who takes part.</summary>
    private StepConstants Constants(IReadOnlyList<TrainingSample> samples)
    {
        if (config.TopEntropyShare >= 1)
            return new(1.0 / Math.Max(1, !config.HasEntropyBonus ? 1 : samples.Sum(sample => sample.Normalizer.Span.Length - sample.Normalizer.Span.Count(0f))));
        float[] entropies = new SequenceScorer(policy, temperature, batching).Entropies(samples);
        double? threshold = EntropyThreshold.Of(entropies, config.TopEntropyShare);
        return new(1.0 / Math.Max(1, entropies.Count(entropy => entropy >= threshold)), threshold);
    }

    private static LossTokens Tokens(List<TrainingSample> samples, MicroBatch batch, Tensor logProbs, Tensor entropies)
    {
        Tensor Gather(Func<TrainingSample, ReadOnlyMemory<float>> part) =>
            batch.Gather((index, position) => part(samples[index]).Span[position - samples[index].PromptLength], logProbs.dtype);
        Tensor? GatherIfPresent(Func<TrainingSample, ReadOnlyMemory<float>> part, string name)
        {
            int present = batch.Members.Count(member => !part(samples[member.Index]).IsEmpty);
            if (present != 0 && present != batch.Members.Count)
                throw new ArgumentException($"{present} of {batch.Members.Count} samples have {name}: expected all or none.", nameof(samples));
            return present > 0 ? Gather(part) : null;
        }
        return new LossTokens
        {
            LogProbs = logProbs,
            Entropies = entropies,
            Credit = Gather(sample => sample.Credit),
            Normalizer = Gather(sample => sample.Normalizer),
            Sequences = new Segments(batch.SequenceIndex, batch.Members.Count, logProbs.dtype),
            Old = GatherIfPresent(sample => sample.OldLogProbs, nameof(TrainingSample.OldLogProbs)),
            Reference = GatherIfPresent(sample => sample.ReferenceLogProbs, nameof(TrainingSample.ReferenceLogProbs)),
            Sampler = GatherIfPresent(sample => sample.SamplerLogProbs, nameof(TrainingSample.SamplerLogProbs)),
        };
    }
}
