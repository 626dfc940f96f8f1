using System.Runtime.ExceptionServices;

namespace DeepSeekR1.Rollouts;

/// <summary>Draws the next token of many sequences, on several threads where that pays. The result is the same on any number.</summary>
internal sealed class TokenDrawing(SamplingConfig sampling, RolloutAddress address, int vocabulary, int threads)
{
    /// <summary>Logits that one thread handles in about the time it takes to wake another.</summary>
    private const int LogitsWorthAThread = 1 << 17;

    private readonly Sampler?[] _samplers = new Sampler?[threads];
    private readonly TorchSampler _torchSampler = new(sampling);
    private SampledToken[] _tokens = [];

    /// <summary>The drawn token of each sequence.</summary>
    public ReadOnlySpan<SampledToken> Tokens => _tokens;

    /// <summary>Draws a token for each live sequence of the batch.</summary>
    public void Draw(IDecodeBatch batch, ReadOnlySpan<RolloutSequence> live)
    {
        if (_tokens.Length < live.Length) _tokens = new SampledToken[live.Length];
        if (batch is TorchDecodeBatch { DrawsOnDevice: true } onDevice)
        {
            DrawOnDevice(onDevice, live);
            return;
        }
        int workers = (int)Math.Clamp((long)live.Length * vocabulary / LogitsWorthAThread, 1, Math.Min(threads, live.Length));
        if (workers == 1)
        {
            DrawShare(batch, live, 0, 1);
            return;
        }
        RolloutSequence[] shared = live.ToArray();
        try
        {
            Parallel.For(0, workers, worker => DrawShare(batch, shared, worker, workers));
        }
        catch (AggregateException failures)
        {
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
        }
    }

    private void DrawOnDevice(TorchDecodeBatch batch, ReadOnlySpan<RolloutSequence> live)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var contexts = new ReadOnlyMemory<int>[live.Length];
        var uniforms = new double[live.Length];
        for (int i = 0; i < live.Length; i++)
        {
            uniforms[i] = Uniform(live[i]);
            if (sampling.RepetitionPenalty != 1) contexts[i] = live[i].Context.ToArray();
        }
        _torchSampler.Sample(batch.DeviceLogits(), contexts, uniforms, _tokens.AsSpan(0, live.Length));
    }

    private double Uniform(RolloutSequence sequence) => address.Random.Uniform(address.Step, sequence.Prompt.Index, sequence.Sample, sequence.Length);

    private void DrawShare(IDecodeBatch batch, ReadOnlySpan<RolloutSequence> live, int worker, int workers)
    {
        var sampler = _samplers[worker] ??= new Sampler(sampling, vocabulary);
        for (int i = worker; i < live.Length; i += workers)
        {
            var sequence = live[i];
            _tokens[i] = sampler.Sample(batch.Logits(i), sequence.Context, Uniform(sequence));
        }
    }
}
