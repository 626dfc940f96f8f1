using DeepSeekR1.Rollouts;
using DeepSeekR1.Rollouts.Cpu;

namespace DeepSeekR1.Training;

/// <summary>Log-probabilities of completions under a model, without gradient.</summary>
internal interface ICompletionScorer
{
    /// <summary>[sample][completion] log-probability of each token; 0 where a token is masked.</summary>
    float[][] LogProbs(IReadOnlyList<TrainingSample> samples);
}

/// <summary>Log-probabilities with the same bits as those with which the sampler drew.</summary>
internal sealed class SamplerScorer : ICompletionScorer
{
    private readonly Func<IDecoder> _decoder;
    private readonly double _temperature;

    /// <param name="decoder">The sampler's decoder, with the weights as they are now.</param>
    /// <param name="temperature">The sampling temperature.</param>
    /// <exception cref="R1Exception">The decoder's products depend on what else is in the batch.</exception>
    public SamplerScorer(Func<IDecoder> decoder, double temperature)
    {
        (_decoder, _temperature) = (decoder, temperature);
        Require(decoder());
    }

    /// <summary>Checks that a decoder's bits do not depend on the batch.</summary>
    /// <exception cref="R1Exception">They do.</exception>
    public static void Require(IDecoder decoder)
    {
        if (decoder is not CpuDecoder)
            throw new R1Exception("grpo.bitwise needs rollouts whose bits do not depend on the batch: a Llama, Mistral, Qwen2 or Qwen3 model without sliding window " +
                "in float32 or bfloat16 on the CPU (runtime.device cpu), and runtime.kernels auto or portable. Switch bitwise off for other models and devices.");
    }

    /// <inheritdoc/>
    public float[][] LogProbs(IReadOnlyList<TrainingSample> samples)
    {
        float[][] scores = ((CpuDecoder)_decoder()).LogProbs([.. samples.Select(sample => (sample.Ids[..sample.PromptLength], sample.Ids[sample.PromptLength..]))], _temperature);
        foreach (var (sample, ofSample) in samples.Zip(scores))
            for (int i = 0; i < ofSample.Length; i++)
                if (sample.Normalizer.Span[i] == 0) ofSample[i] = 0;
        return scores;
    }
}
