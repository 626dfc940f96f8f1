namespace DeepSeekR1.Models;

/// <summary>The families of decoders that are known, and what their configuration files leave unsaid.</summary>
/// <param name="ModelType"><c>model_type</c> in config.json.</param>
/// <param name="CausalLM">The class name with a language-model head.</param>
internal sealed record ModelFamily(string ModelType, string CausalLM)
{
    public static readonly ModelFamily Llama = new("llama", "LlamaForCausalLM");
    public static readonly ModelFamily Qwen2 = new("qwen2", "Qwen2ForCausalLM");

    private static readonly ModelFamily[] All = [Llama, Qwen2];

    /// <summary>The family of an architecture, or null.</summary>
    public static ModelFamily? OfArchitecture(string architecture) => Array.Find(All, family => family.CausalLM == architecture);

    /// <summary>The family of a <c>model_type</c>, or null.</summary>
    public static ModelFamily? OfModelType(string modelType) => Array.Find(All, family => family.ModelType == modelType);

    /// <summary>For messages: every architecture that loads.</summary>
    public static string Known => string.Join(", ", All.Select(family => family.CausalLM));
}
