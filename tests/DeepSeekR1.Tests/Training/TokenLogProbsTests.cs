using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

public class TokenLogProbsTests
{
    private const double Tolerance = 1e-5;

    [Theory]
    [InlineData(TokenLogProbs.DefaultLogitsPerChunk)]
    [InlineData(1)]
    [InlineData(100)]
    public void Values_and_gradients_equal_the_reference_in_chunks_of_any_size(long logitsPerChunk)
    {
        using var scope = NewDisposeScope();
        var golden = GoldenFile.Tensors("grpo", "logprobs.safetensors");
        foreach (var row in GoldenFile.Json("grpo", "logprobs.json").EnumerateArray())
        {
            int index = row.GetProperty("case").GetInt32();
            long vocabulary = golden[$"{index}.logits"].shape[^1];
            Tensor Flat(string name) => golden[$"{index}.{name}"].view(-1);
            // With the identity as head, hidden states are logits.
            var logits = golden[$"{index}.logits"].view(-1, vocabulary);
            using var actual = new TokenLogProbs(logits, eye(vocabulary), Flat("ids"), row.Number("temperature"), logitsPerChunk: logitsPerChunk);
            Assert.InRange(actual.LogProbs.LargestDifference(Flat("logps")), 0, Tolerance);
            Assert.InRange(actual.Entropies.LargestDifference(Flat("entropy")), 0, Tolerance);

            var (noPull, pull, entropyPull) = (zeros_like(actual.LogProbs), Flat("weights_logps"), Flat("weights_entropy"));
            double scale = 1 / Math.Min(1, row.Number("temperature"));
            Assert.InRange(actual.Backward(pull, null, null).LargestDifference(golden[$"{index}.dlogits_of_logps"].view(-1, vocabulary)), 0, Tolerance * scale);
            Assert.InRange(actual.Backward(noPull, entropyPull, null).LargestDifference(golden[$"{index}.dlogits_of_entropy"].view(-1, vocabulary)), 0, Tolerance * scale);
        }
    }

    [Theory]
    [InlineData(TokenLogProbs.DefaultLogitsPerChunk)]
    [InlineData(40)]
    public void Gradients_of_hidden_states_and_head_equal_autograd(long logitsPerChunk)
    {
        using var scope = NewDisposeScope();
        const int Tokens = 9, Hidden = 5, Vocabulary = 13;
        const double Temperature = 0.7;
        var hidden = TestNumbers.Normal(1, Tokens, Hidden).requires_grad_();
        var head = TestNumbers.Normal(2, Vocabulary, Hidden).requires_grad_();
        var (pull, entropyPull) = (TestNumbers.Normal(3, Tokens), TestNumbers.Normal(4, Tokens));
        var targets = arange(Tokens).remainder(Vocabulary).to(ScalarType.Int64);
        var all = nn.functional.log_softmax(nn.functional.linear(hidden, head) / Temperature, 1);
        var logProbs = all.gather(1, targets.unsqueeze(1)).squeeze(1);
        var entropies = -(all.exp() * all).sum(1);
        (logProbs * pull + entropies * entropyPull).sum().backward();

        using var actual = new TokenLogProbs(hidden, head, targets, Temperature, logitsPerChunk: logitsPerChunk);
        var dHead = zeros_like(head);
        var dHidden = actual.Backward(pull, entropyPull, dHead);
        Assert.InRange(actual.LogProbs.LargestDifference(logProbs), 0, 1e-12);
        Assert.InRange(actual.Entropies.LargestDifference(entropies), 0, 1e-12);
        Assert.InRange(dHidden.LargestDifference(hidden.grad!), 0, 1e-12);
        Assert.InRange(dHead.LargestDifference(head.grad!), 0, 1e-12);
    }

    /// <summary>The logits are rounded once; what is made of them is computed in single precision.</summary>
    [Fact]
    public void Bfloat16_logits_are_scored_as_exactly_as_single_ones()
    {
        using var scope = NewDisposeScope();
        const int Tokens = 20, Vocabulary = 1003;
        const double Temperature = 0.8;
        var logits = (TestNumbers.Normal(1, Tokens, Vocabulary) * 4).to(ScalarType.BFloat16);
        var (pull, entropyPull) = (TestNumbers.Normal(3, Tokens), TestNumbers.Normal(4, Tokens));
        var targets = arange(Tokens, ScalarType.Int64) * 50;
        var exact = logits.to(ScalarType.Float64).requires_grad_();
        var all = nn.functional.log_softmax(exact / Temperature, 1);
        var (logProbs, entropies) = (all.gather(1, targets.unsqueeze(1)).squeeze(1), -(all.exp() * all).sum(1));
        (logProbs * pull + entropies * entropyPull).sum().backward();

        using var actual = new TokenLogProbs(logits, eye(Vocabulary, dtype: ScalarType.BFloat16), targets, Temperature);
        Assert.InRange(actual.LogProbs.LargestDifference(logProbs), 0, 1e-5);
        Assert.InRange(actual.Entropies.LargestDifference(entropies), 0, 1e-5);
        Assert.Equal(all.argmax(1).eq(targets).data<bool>().ToArray(), actual.IsMostLikely.data<bool>().ToArray());
        // The gradient leaves in bfloat16.
        double largest = exact.grad!.abs().max().item<double>();
        Assert.InRange(actual.Backward(pull, entropyPull, null).LargestDifference(exact.grad!), 0, 4e-3 * largest);
    }

    [Fact]
    public void No_tokens_are_no_error()
    {
        using var scope = NewDisposeScope();
        using var nothing = new TokenLogProbs(zeros(0, 4), zeros(7, 4), zeros(0, dtype: ScalarType.Int64), 1);
        Assert.Equal([0L], nothing.LogProbs.shape);
        Assert.Equal([0L, 4L], nothing.Backward(zeros(0), null, null).shape);
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => new TokenLogProbs(zeros(3, 4), zeros(7, 5), zeros(3, dtype: ScalarType.Int64), 1));
    }
}
