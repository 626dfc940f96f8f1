using DeepSeekR1.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>
/// A decoder that gives a sequence one number, read off its last token: a reward model in the layout of transformers'
/// <c>*ForSequenceClassification</c> with one label.
/// </summary>
public sealed class SequenceClassifier : DecoderModel
{
    private readonly Parameter _head;

    internal SequenceClassifier(ModelConfig config, Dictionary<string, Parameter> parameters) : base(config, parameters) =>
        _head = parameters[ParameterLayout.ScoreHead];

    /// <summary>A classifier with a language model's weights and a fresh head, normal with deviation 1/sqrt(hidden).</summary>
    public static SequenceClassifier From(CausalLM model, AddressedRandom init)
    {
        var family = ModelFamily.OfArchitecture(model.Config.Architecture)!;
        var config = model.Config with { Architecture = family.Classifier };
        var parameters = model.CopyParameters(trainable: true);
        if (parameters.Remove(ParameterLayout.Head, out var head)) head.Dispose();
        var spec = ParameterLayout.Of(config).Single(parameter => parameter.Name == ParameterLayout.ScoreHead);
        parameters[spec.Name] = ParameterFactory.Own(ParameterFactory.Draw(spec, config, init.Stream(), model.Dtype, model.Device), trainable: true);
        return new SequenceClassifier(config, parameters);
    }

    /// <summary>The score of each sequence, at its last token.</summary>
    /// <param name="ids">[batch, sequence] int64, padded on the right.</param>
    /// <param name="lengths">[batch] int64: tokens of each sequence without padding, at least 1.</param>
    /// <returns>[batch], in the model's dtype.</returns>
    /// <exception cref="ArgumentException">A shape that does not fit.</exception>
    public Tensor Score(Tensor ids, Tensor lengths)
    {
        if (ids.shape is not [var batch, _] || lengths.dtype != ScalarType.Int64 || lengths.shape is not [var count] || count != batch)
            throw new ArgumentException($"lengths must be int64 [{ids.shape[0]}], found {lengths.dtype} [{string.Join(", ", lengths.shape)}]", nameof(lengths));
        using var scope = NewDisposeScope();
        var last = (lengths - 1).view(-1, 1, 1).expand(batch, 1, Config.HiddenSize);
        var hidden = Hidden(ids).gather(1, last).squeeze(1);
        // Not as a product of matrices: with one column, those of LibTorch depend on where in memory the weights lie, and a resumed run would differ.
        var wide = hidden.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        return (hidden.to(wide) * _head.to(wide)).sum(-1).to(hidden.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>A model of its own with the same weights.</summary>
    public SequenceClassifier Copy(bool trainable) => new(Config, CopyParameters(trainable));
}
