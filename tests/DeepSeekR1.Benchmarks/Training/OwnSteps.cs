using System.Diagnostics;
using DeepSeekR1.Benchmarks.Rollouts;
using DeepSeekR1.Models;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Text;
using DeepSeekR1.Training;
using static TorchSharp.torch;

namespace DeepSeekR1.Benchmarks.Training;

/// <summary>The same steps by the library.</summary>
internal sealed class OwnSteps
{
    private readonly TorchRuntime _runtime;
    private readonly CausalLM _model;
    private readonly IOptimizer _optimizer;
    private readonly SftUpdate _supervised;
    private readonly GrpoUpdate _policy;
    private readonly Lazy<IDecoder> _decoder;
    private readonly WordLevelTokenizer _tokenizer = new([.. Enumerable.Range(0, Shapes.SmolLm2.VocabularySize).Select(i => $"w{i}")]);
    private int _step;

    public OwnSteps(ScalarType dtype, int threads)
    {
        _runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = threads });
        _model = CausalLM.Create(Shapes.SmolLm2, _runtime, new AddressedRandom(1, RandomPurpose.Weights), dtype);
        _optimizer = Optimizer.For(_model, new OptimizerConfig());
        _supervised = new SftUpdate(_model, _optimizer, new SftLossConfig(), new BatchConfig());
        _policy = new GrpoUpdate(_model, _optimizer, new GrpoLossConfig { Beta = 0 }, temperature: 1, new BatchConfig());
        _decoder = new(() => Decoders.For(_model, _runtime));
    }

    /// <summary>Seconds that the weights of the last step took to reach the sampler.</summary>
    public double SyncSeconds { get; private set; }

    /// <summary>Seconds of the last rollouts in which tokens were drawn.</summary>
    public double SamplingSeconds { get; private set; }

    public void Supervised(int[][] sequences) =>
        _supervised.Step([.. sequences.Select(ids => new SftSample { Ids = ids, IsLabel = Enumerable.Repeat(true, ids.Length).ToArray() })], 1e-5);

    public void Policy(int[][] sequences, int promptLength) => _policy.Step([.. sequences.Select((ids, i) => Sample(ids, promptLength, i % 2 == 0 ? 1 : -1, sequences.Length))], 1e-6);

    public int[][] Generate(int[][] prompts, int copies, int newTokens)
    {
        if (_decoder.IsValueCreated) SyncSeconds = Measure.Seconds(_decoder.Value.Refresh);
        var engine = new RolloutEngine(_decoder.Value, _tokenizer, [], new RolloutLimits(), _runtime.Threads);
        EncodedPrompt[] encoded = [.. prompts.Select((ids, i) => new EncodedPrompt(new Prompt { Id = "", Text = "" }, ids, i))];
        SamplingSeconds = 0;
        long mark = Stopwatch.GetTimestamp();
        var groups = engine.Generate(encoded, copies, new SamplingConfig { MaxNewTokens = newTokens, Temperature = 1 }, new RolloutAddress(new AddressedRandom(1, RandomPurpose.Rollout), _step++), onPhase: phase =>
        {
            if (phase == RolloutPhase.Sampling) SamplingSeconds += Stopwatch.GetElapsedTime(mark).TotalSeconds;
            mark = Stopwatch.GetTimestamp();
        });
        return [.. groups.SelectMany((group, i) => group.Rollouts.Select(rollout => (int[])[.. prompts[i], .. rollout.Ids.Span]))];
    }

    private static TrainingSample Sample(int[] ids, int promptLength, float advantage, int count)
    {
        int length = ids.Length - promptLength;
        float weight = 1f / (count * length);
        return new()
        {
            Ids = ids,
            PromptLength = promptLength,
            Credit = Enumerable.Repeat(advantage * weight, length).ToArray(),
            Normalizer = Enumerable.Repeat(weight, length).ToArray(),
        };
    }
}
