using System.Globalization;
using DeepSeekR1.Benchmarks.Rollouts;
using DeepSeekR1.Models;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Rollouts.Cpu;
using DeepSeekR1.Runtime;
using DeepSeekR1.Text;
using DeepSeekR1.Training;

namespace DeepSeekR1.Benchmarks.Training;

/// <summary>What the bitwise mode of GRPO costs: sampling, and an update of the drawn completions with and without it. <c>[--threads N]</c>.</summary>
internal static class BitwiseBenchmark
{
    private const int Runs = 5;

    public static void Run(string[] args)
    {
        Bar.AtMost("an update of mini in bitwise mode", Measured("mini", Shapes.Mini, DtypeChoice.Float32, prompts: 16, prompt: 35, group: 16, completion: 42, args), 1.6, "×");
        Bar.AtMost("an update of SmolLM2 in bfloat16", Measured("SmolLM2", Shapes.SmolLm2, DtypeChoice.Bfloat16, prompts: 2, prompt: 64, group: 4, completion: 64, args), 1.6, "×");
    }

    /// <summary>The time of an update in bitwise mode over that of a usual one.</summary>
    private static double Measured(string name, ModelConfig shape, DtypeChoice dtype, int prompts, int prompt, int group, int completion, string[] args)
    {
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Dtype = dtype, Threads = Options.Threads(args) });
        using var model = CausalLM.Create(shape, runtime, new AddressedRandom(1, RandomPurpose.Weights));
        using var decoder = new CpuDecoder(model, runtime.Threads);
        using var optimizer = Optimizer.For(model, new OptimizerConfig());
        var engine = new RolloutEngine(decoder, new NoText(), stopIds: [], threads: runtime.Threads);
        EncodedPrompt[] encoded = [.. Enumerable.Range(0, prompts).Select(i =>
            new EncodedPrompt(new Prompt { Id = $"{i}", Text = "" }, Enumerable.Range(0, prompt).Select(token => (token * 31 + 7 * i) % 300).ToArray(), i))];
        RolloutGroup[] groups = [];
        void Sample() => groups = engine.Generate(encoded, group, new SamplingConfig { MaxNewTokens = completion }, new RolloutAddress(new AddressedRandom(1, RandomPurpose.Rollout), 0));
        Sample();
        TrainingSample[] samples = [.. groups.SelectMany(g => g.Rollouts).Select((rollout, i) => new TrainingSample
        {
            Ids = (int[])[.. rollout.PromptIds.Span, .. rollout.Ids.Span],
            PromptLength = rollout.PromptIds.Length,
            Credit = Enumerable.Repeat(i % 2 == 0 ? 1e-3f : -1e-3f, completion).ToArray(),
            Normalizer = Enumerable.Repeat(1e-3f, completion).ToArray(),
            SamplerLogProbs = rollout.LogProbs,
        })];
        IDecoder Refreshed()
        {
            decoder.Refresh();
            return decoder;
        }
        var usual = new GrpoUpdate(model, optimizer, new GrpoLossConfig { Beta = 0 }, 1, new BatchConfig());
        var bitwise = new GrpoUpdate(model, optimizer, new GrpoLossConfig { Beta = 0 }, 1, new BatchConfig()) { Values = new SamplerScorer(Refreshed, 1) };
        double difference = usual.Step(samples, 0).Metrics["sampling/logp_difference/max"], none = bitwise.Step(samples, 0).Metrics["sampling/logp_difference/max"];
        double[] seconds = Measure.Medians(Runs,
            () => Measure.Seconds(Sample), () => Measure.Seconds(() => usual.Step(samples, 0)), () => Measure.Seconds(() => bitwise.Step(samples, 0)));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name} in {dtype}, {runtime.Threads} threads, {prompts} x {group} completions of {completion} tokens: sampling {seconds[0]:0.000} s, update {seconds[1]:0.000} s, bitwise {seconds[2]:0.000} s; largest difference of a log-probability {difference:E1}, bitwise {none}"));
        return seconds[2] / seconds[1];
    }

    /// <summary>Completions are not read here.</summary>
    private sealed class NoText : ITokenizer
    {
        public int VocabularySize => int.MaxValue;

        public IReadOnlyDictionary<string, int> SpecialTokens { get; } = new Dictionary<string, int>();

        public int[] Encode(string text, bool parseSpecialTokens = false) => [];

        public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false) => "";

        public void Save(string folder) { }
    }
}
