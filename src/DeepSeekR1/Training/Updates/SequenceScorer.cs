using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>Log-probabilities of completions under a model, without gradient: the reference's for KL, the old policy's for the ratio.</summary>
/// <param name="model">Any model; it does not change.</param>
/// <param name="temperature">The sampling temperature.</param>
/// <param name="batching">How the work is cut for the machine.</param>
public sealed class SequenceScorer(CausalLM model, double temperature, BatchConfig batching)
{
    private readonly TokenGradient _pass = new(model, temperature, batching);

    /// <summary>[sample][completion] log-probability of each token; 0 where a token is masked.</summary>
    public float[][] LogProbs(IReadOnlyList<TrainingSample> samples)
    {
        float[][] scores = [.. samples.Select(sample => new float[sample.CompletionLength])];
        ForEachToken(samples, token => token.LogProbs, (sample, position, value) => scores[sample][position - samples[sample].PromptLength] = value);
        return scores;
    }

    /// <summary>Entropies of all tokens that are not masked, in no particular order.</summary>
    internal float[] Entropies(IReadOnlyList<TrainingSample> samples)
    {
        var entropies = new List<float>();
        ForEachToken(samples, token => token.Entropies, (_, _, value) => entropies.Add(value));
        return [.. entropies];
    }

    private void ForEachToken(IReadOnlyList<TrainingSample> samples, Func<TokenLogProbs, Tensor> part, Action<int, int, float> visit)
    {
        foreach (var cut in batching.Cut(samples, model))
        {
            using var scope = NewDisposeScope();
            using var batch = cut;
            using var scores = _pass.Score(batch);
            float[] values = part(scores).to(ScalarType.Float32).cpu().data<float>().ToArray();
            int token = 0;
            foreach (var member in batch.Members)
                foreach (int position in member.Positions) visit(member.Index, position, values[token++]);
        }
    }
}
