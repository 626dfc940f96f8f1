using DeepSeekR1.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>A decoder with a language-model head: token ids in, logits of the next token out.</summary>
public sealed class CausalLM : DecoderModel
{
    private readonly Parameter _head;

    internal CausalLM(ModelConfig config, Dictionary<string, Parameter> parameters) : base(config, parameters) =>
        _head = config.TieWordEmbeddings ? Embedding : parameters[ParameterLayout.Head];

    /// <summary>
    /// A fresh model: projections normal with deviation 1/sqrt(fan-in), those that write to the residual stream further divided by
    /// sqrt(2 * layers), the embedding with deviation 0.1, norms 1, biases 0. Same seed, same weights on every device.
    /// </summary>
    /// <exception cref="R1Exception">The configuration is impossible.</exception>
    public static CausalLM Create(ModelConfig config, TorchRuntime runtime, AddressedRandom init, ScalarType? dtype = null)
    {
        config.Validated("model configuration");
        if (config.IsClassifier) throw new R1Exception($"model configuration: {config.Architecture} is a classifier, not a language model.");
        return new CausalLM(config, ParameterFactory.DrawAll(config, init, dtype ?? runtime.DtypeFor(config.HiddenSize), runtime.Device));
    }

    /// <summary>Unnormalised log-probabilities of the next token.</summary>
    /// <param name="hidden">[..., hidden].</param>
    /// <returns>[..., vocabulary], in the model's dtype.</returns>
    public Tensor Logits(Tensor hidden) => nn.functional.linear(hidden, _head);

    /// <summary>A model of its own with the same weights; one that is not trainable is a frozen reference. Adapters are not copied.</summary>
    public CausalLM Copy(bool trainable) => new(Config, CopyParameters(trainable));
}
