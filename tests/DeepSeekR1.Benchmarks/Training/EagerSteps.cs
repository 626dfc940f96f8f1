using DeepSeekR1.Benchmarks.Rollouts;
using static TorchSharp.torch;

namespace DeepSeekR1.Benchmarks.Training;

/// <summary>What Hugging Face's trainers do in a step, on <see cref="EagerLlama"/>.</summary>
/// <param name="weights">TRL loads in float32 unless told otherwise.</param>
/// <param name="products">bfloat16 beside weights of float32 is TRL's default (<c>bf16</c>): torch.autocast.</param>
internal sealed class EagerSteps(ScalarType weights, ScalarType products)
{
    private readonly EagerLlama _model = new(Shapes.SmolLm2, weights, products);

    /// <summary>transformers' Trainer: the loss over all tokens, from logits in float32.</summary>
    public void Supervised(int[][] sequences)
    {
        using var scope = NewDisposeScope();
        var ids = Ids(sequences);
        long length = ids.shape[1];
        var logits = _model.Logits(ids, length).to(ScalarType.Float32);
        nn.functional.cross_entropy(logits.narrow(1, 0, length - 1).reshape(-1, logits.shape[2]), ids.narrow(1, 1, length - 1).reshape(-1)).backward();
        _model.Step(1e-5);
    }

    /// <summary>
    /// TRL's GRPOTrainer with one iteration and beta 0, which computes neither old nor reference log-probabilities: eight sequences at a time,
    /// log-probabilities and entropies of the completions, the clipped objective.
    /// </summary>
    /// <param name="sequences">Prompts with their completions.</param>
    /// <param name="promptLength">Tokens of a prompt.</param>
    /// <param name="isCheckpointed">gradient_checkpointing, which is on in TRL unless it is switched off.</param>
    public void Policy(int[][] sequences, int promptLength, bool isCheckpointed = false)
    {
        int rows = 8;
        for (int first = 0; first < sequences.Length; first += rows)
        {
            using var scope = NewDisposeScope();
            var ids = Ids(sequences[first..(first + rows)]);
            long completion = ids.shape[1] - promptLength;
            if (isCheckpointed) _model.BackwardCheckpointed(ids, completion + 1, Loss);
            else Loss(_model.Logits(ids, completion + 1)).backward();

            Tensor Loss(Tensor all)
            {
                var logits = all.narrow(1, 0, completion).div_(1.0);
                var targets = ids.narrow(1, promptLength, completion);
                var logProbs = SelectiveLogSoftmax(logits, targets);
                using (no_grad()) Entropies(logits.detach());
                var ratio = (logProbs - logProbs.detach()).exp();
                var advantages = tensor(Enumerable.Range(0, rows).Select(i => i % 2 == 0 ? 1f : -1f).ToArray()).view(rows, 1);
                return -minimum(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages).mean() / (sequences.Length / rows);
            }
        }
        _model.Step(1e-6);
    }

    /// <summary>transformers' generate: every row has its own copy of the prompt.</summary>
    public int[][] Generate(int[][] prompts, int newTokens)
    {
        using var frozen = no_grad();
        var cache = new Tensor?[2 * Shapes.SmolLm2.Layers];
        var drawn = new List<long[]>();
        Tensor next = Ids(prompts).DetachFromDisposeScope();
        for (int step = 0; step < newTokens; step++)
        {
            using var scope = NewDisposeScope();
            var logits = _model.Logits(next, 1, cache).squeeze(1).to(ScalarType.Float32, copy: true);
            next.Dispose();
            next = multinomial(nn.functional.softmax(logits, -1), 1).DetachFromDisposeScope();
            drawn.Add([.. next.data<long>()]);
        }
        next.Dispose();
        foreach (var tensor in cache) tensor?.Dispose();
        return [.. prompts.Select((prompt, row) => (int[])[.. prompt, .. drawn.Select(step => (int)step[row])])];
    }

    private static Tensor Ids(int[][] sequences) => tensor(sequences.SelectMany(sequence => sequence).Select(id => (long)id).ToArray()).view(sequences.Length, -1);

    /// <summary>trl.trainer.utils.entropy_from_logits: 128 positions at a time, so that not all probabilities lie in memory.</summary>
    private static Tensor Entropies(Tensor logits)
    {
        var chunks = logits.reshape(-1, logits.shape[2]).split(128).Select(chunk =>
        {
            using var scope = NewDisposeScope();
            var logProbs = nn.functional.log_softmax(chunk, -1);
            return (logProbs.exp() * logProbs).sum(-1).neg_().MoveToOuterDisposeScope();
        });
        return cat([.. chunks]);
    }

    /// <summary>trl.trainer.utils.selective_log_softmax: by logsumexp in float32, row by row in bfloat16, where that is not exact enough.</summary>
    private static Tensor SelectiveLogSoftmax(Tensor logits, Tensor targets)
    {
        if (logits.dtype == ScalarType.Float32)
        {
            var sums = stack([.. Enumerable.Range(0, (int)logits.shape[0]).Select(row => logits[row].logsumexp(-1))]);
            return logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1) - sums;
        }
        return stack([.. Enumerable.Range(0, (int)logits.shape[0]).Select(row =>
            nn.functional.log_softmax(logits[row], -1).gather(-1, targets[row].unsqueeze(-1)).squeeze(-1))]);
    }
}
