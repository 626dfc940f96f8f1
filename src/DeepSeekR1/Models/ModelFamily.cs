namespace DeepSeekR1.Models;

/// <summary>The families of decoders that are known.</summary>
/// <param name="ModelType"><c>model_type</c> in config.json.</param>
/// <param name="Name">The beginning of its class names.</param>
internal sealed record ModelFamily(string ModelType, string Name)
{
    private const string CausalLMSuffix = "ForCausalLM";
    private const string ClassifierSuffix = "ForSequenceClassification";

    public static readonly ModelFamily Llama = new("llama", "Llama");
    public static readonly ModelFamily Mistral = new("mistral", "Mistral");
    public static readonly ModelFamily Qwen2 = new("qwen2", "Qwen2");
    public static readonly ModelFamily Qwen3 = new("qwen3", "Qwen3");
    public static readonly ModelFamily Qwen3Moe = new("qwen3_moe", "Qwen3Moe");
    public static readonly ModelFamily DeepSeekV3 = new("deepseek_v3", "DeepseekV3");

    private static readonly ModelFamily[] _all = [Llama, Mistral, Qwen2, Qwen3, Qwen3Moe, DeepSeekV3];

    /// <summary>Its class with a language-model head.</summary>
    public string CausalLM => Name + CausalLMSuffix;

    /// <summary>Its class with a classification head.</summary>
    public string Classifier => Name + ClassifierSuffix;

    /// <summary>For messages: every architecture that loads.</summary>
    public static string Known => string.Join(", ", _all.Select(family => family.CausalLM)) + " and their ForSequenceClassification";

    /// <summary>The family of an architecture, or null.</summary>
    public static ModelFamily? OfArchitecture(string architecture) => Array.Find(_all, family => architecture == family.CausalLM || architecture == family.Classifier);

    /// <summary>The family of a <c>model_type</c>, or null.</summary>
    public static ModelFamily? OfModelType(string modelType) => Array.Find(_all, family => family.ModelType == modelType);

    /// <summary>True for an architecture with a classification head.</summary>
    public static bool IsClassifier(string architecture) => architecture.EndsWith(ClassifierSuffix, StringComparison.Ordinal);
}
