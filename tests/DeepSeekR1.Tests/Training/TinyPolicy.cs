using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using DeepSeekR1.Training;
using TorchSharp;

namespace DeepSeekR1.Tests.Training;

/// <summary>A fresh model of a few thousand parameters, and samples for it.</summary>
internal static class TinyPolicy
{
    public const int Vocabulary = 31;

    public static CausalLM Create(torch.ScalarType dtype = torch.ScalarType.Float32)
    {
        const string Config = """
            {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "vocab_size": 31, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
             "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "tie_word_embeddings": true}
            """;
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 });
        return CausalLM.Create(ModelConfig.Parse(Config, "tiny"), runtime, new AddressedRandom(3, RandomPurpose.Weights), dtype);
    }

    /// <summary>Samples of ragged lengths with credit of both signs and some masked tokens.</summary>
    public static List<TrainingSample> Samples(int count, bool withOld = false, bool withReference = false, bool withSampler = false)
    {
        var random = new AddressedRandom(9, RandomPurpose.Verification);
        var samples = new List<TrainingSample>();
        for (int i = 0; i < count; i++)
        {
            var stream = random.Stream(sample: i);
            int prompt = stream.Between(1, 6), completion = stream.Between(1, 9);
            float[] Draw(double mean, double deviation)
            {
                var values = new float[completion];
                stream.Normal(values, deviation);
                return [.. values.Select(value => (float)(value + mean))];
            }
            float[] normalizer = [.. Enumerable.Range(0, completion).Select(t => t == 2 ? 0f : 1f / (count * completion))];
            float advantage = i % 2 == 0 ? 1.3f : -0.7f;
            samples.Add(new TrainingSample
            {
                Ids = Enumerable.Range(0, prompt + completion).Select(_ => stream.Next(Vocabulary)).ToArray(),
                PromptLength = prompt,
                Credit = normalizer.Select(weight => weight * advantage).ToArray(),
                Normalizer = normalizer,
                OldLogProbs = withOld ? Draw(-3.4, 0.4) : default,
                ReferenceLogProbs = withReference ? Draw(-3.4, 0.4) : default,
                SamplerLogProbs = withSampler ? Draw(-3.4, 0.4) : default,
            });
        }
        return samples;
    }
}
