using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>Log-probabilities of completions under a model, without gradient: the reference's for KL, the old policy's for the ratio.</summary>
/// <param name="model">Any model; it does not change.</param>
/// <param name="temperature">The sampling temperature.</param>
/// <param name="batching">How the work is cut for the machine.</param>
public sealed class SequenceScorer(CausalLM model, double temperature, BatchConfig batching) : ICompletionScorer
{
    private readonly MemoryBudget _memory = new(batching, model.Device);
    private readonly TokenGradient _pass = new(model, temperature, batching);

    /// <summary>[sample][completion] log-probability of each token; 0 where a token is masked.</summary>
    public float[][] LogProbs(IReadOnlyList<TrainingSample> samples) => Scores(samples, token => token.LogProbs, masked: 0);

    /// <summary>Entropies of all tokens that are not masked.</summary>
    internal float[] Entropies(IReadOnlyList<TrainingSample> samples) =>
        [.. Scores(samples, token => token.Entropies, masked: float.NaN).SelectMany(entropies => entropies).Where(entropy => !float.IsNaN(entropy))];

    /// <summary>[sample][completion] a number of each token.</summary>
    private float[][] Scores(IReadOnlyList<TrainingSample> samples, Func<TokenLogProbs, Tensor> part, float masked) => _memory.Run(cut =>
    {
        float[][] scores = [.. samples.Select(sample => Enumerable.Repeat(masked, sample.CompletionLength).ToArray())];
        foreach (var laid in cut.Cut(samples, model))
        {
            using var scope = NewDisposeScope();
            using var batch = laid;
            using var passed = _pass.Score(batch);
            float[] values = part(passed).to(ScalarType.Float32).cpu().data<float>().ToArray();
            int token = 0;
            foreach (var member in batch.Members)
                foreach (int position in member.Positions) scores[member.Index][position - samples[member.Index].PromptLength] = values[token++];
        }
        return scores;
    });
}
