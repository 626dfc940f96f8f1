using DeepSeekR1.Models;

namespace DeepSeekR1.Benchmarks.Rollouts;

/// <summary>Dimensions of the models that are measured; the weights are random.</summary>
internal static class Shapes
{
    /// <summary>The embedded recipe's.</summary>
    public static ModelConfig Mini { get; } = new()
    {
        VocabularySize = 318,
        HiddenSize = 64,
        IntermediateSize = 176,
        Layers = 3,
        Heads = 4,
        MaxPositions = 512,
        TieWordEmbeddings = true,
    };

    /// <summary>SmolLM2-135M.</summary>
    public static ModelConfig SmolLm2 { get; } = new()
    {
        VocabularySize = 49_152,
        HiddenSize = 576,
        IntermediateSize = 1536,
        Layers = 30,
        Heads = 9,
        KeyValueHeads = 3,
        MaxPositions = 4096,
        TieWordEmbeddings = true,
    };

    /// <summary>Qwen2.5-0.5B.</summary>
    public static ModelConfig Qwen25 { get; } = new()
    {
        Architecture = "Qwen2ForCausalLM",
        VocabularySize = 151_936,
        HiddenSize = 896,
        IntermediateSize = 4864,
        Layers = 24,
        Heads = 14,
        KeyValueHeads = 2,
        QueryKeyValueBias = true,
        MaxPositions = 4096,
        TieWordEmbeddings = true,
    };
}
