using System.Text.Json.Nodes;

namespace DeepSeekR1.Models;

/// <summary>The shape of a decoder: what <c>config.json</c> of a Hugging Face folder says, in the field's terms.</summary>
public sealed record ModelConfig
{
    /// <summary>Far beyond every model there is, and small enough that no product of two sizes overflows 64 bits: a damaged file must not count for hours.</summary>
    internal const int MostLayers = 1 << 12, LargestSize = 1 << 24;

    /// <summary>The class that transformers would load, such as <c>LlamaForCausalLM</c>.</summary>
    public string Architecture { get; init; } = ModelFamily.Llama.CausalLM;

    /// <summary>Number of token ids.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside the feed-forward block.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of decoder layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Key and value heads, each shared by Heads / KeyValueHeads query heads; as many as <see cref="Heads"/> where not set.</summary>
    public int KeyValueHeads { get => field > 0 ? field : Heads; init; }

    /// <summary>Width of a head; HiddenSize / Heads where not set.</summary>
    public int HeadDim { get => field > 0 ? field : HiddenSize / Heads; init; }

    /// <summary>Added to the mean square before its root.</summary>
    public double RmsNormEpsilon { get; init; } = 1e-6;

    /// <summary>Base of the rotary frequencies.</summary>
    public double RopeTheta { get; init; } = 10_000;

    /// <summary>How rotary frequencies are stretched; null where they are not.</summary>
    public RopeScaling? RopeScaling { get; init; }

    /// <summary>Positions the model was made for.</summary>
    public int MaxPositions { get; init; } = 2048;

    /// <summary>The output head is the embedding matrix itself.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>Query, key and value projections have a bias.</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>The attention's output projection has a bias.</summary>
    public bool AttentionOutputBias { get; init; }

    /// <summary>The feed-forward projections have biases.</summary>
    public bool MlpBias { get; init; }

    /// <summary>Queries and keys are normed head by head before they turn (Qwen3).</summary>
    public bool QueryKeyNorm { get; init; }

    /// <summary>Tokens that layers of <see cref="SlidingLayers"/> look back, themselves included; null looks back to the beginning.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>Layers that look back no further than the window.</summary>
    public IReadOnlySet<int> SlidingLayers { get; init; } = new HashSet<int>();

    /// <summary>Latent attention in place of grouped heads (DeepSeek-V3); null where the model has none.</summary>
    public LatentAttentionConfig? LatentAttention { get; init; }

    /// <summary>A mixture of experts in place of the feed-forward block; null where the model has none.</summary>
    public ExpertsConfig? Experts { get; init; }

    /// <summary>Layers that predict further tokens, stored behind the others in the weights; they are not loaded (DeepSeek-V3).</summary>
    public int MultiTokenPredictionLayers { get; init; }

    /// <summary>True where the head scores a sequence instead of predicting the next token (<c>*ForSequenceClassification</c>).</summary>
    public bool IsClassifier => ModelFamily.IsClassifier(Architecture);

    /// <summary>Width of what turns with the position.</summary>
    internal int RotaryWidth => LatentAttention?.RotaryHeadDim ?? HeadDim;

    /// <summary>The experts of one layer; null where it has an ordinary feed-forward block.</summary>
    internal ExpertsConfig? ExpertsOf(int layer) => Experts is { } experts && !experts.DenseLayers.Contains(layer) ? experts : null;

    /// <summary>The object this was read from: fields that mean nothing here are written back as they were.</summary>
    internal JsonObject? Source { get; init; }

    /// <summary>Number of parameters, a tied head counted once.</summary>
    public long ParameterCount => ParameterLayout.Of(this).Sum(parameter => parameter.Elements);

    /// <summary>Number of parameters that one token is computed with: all but the experts it does not go to.</summary>
    public long ActiveParameterCount
    {
        get
        {
            if (Experts is not { } experts) return ParameterCount;
            long layers = Enumerable.Range(0, Layers).Count(layer => ExpertsOf(layer) is not null);
            return ParameterCount - layers * (experts.Count - experts.PerToken) * 3L * HiddenSize * experts.IntermediateSize;
        }
    }

    /// <summary>
    /// Reads <c>config.json</c>: the layout of transformers 5 (<c>rope_parameters</c>, <c>dtype</c>) and that of published checkpoints
    /// (<c>rope_theta</c>, <c>rope_scaling</c>, <c>torch_dtype</c>).
    /// </summary>
    /// <param name="json">The text.</param>
    /// <param name="fileName">What errors call it.</param>
    /// <exception cref="R1Exception">Not JSON; a field is missing, of the wrong type or out of range; or the model is of an unknown kind.</exception>
    public static ModelConfig Parse(string json, string fileName = "config.json") => ModelConfigReader.Read(json, fileName);

    /// <summary>The text of <c>config.json</c>: the fields it was read from, with those known here brought up to date.</summary>
    /// <param name="dtype">The saved weights' dtype as PyTorch calls it, such as <c>bfloat16</c>.</param>
    public string ToJson(string dtype = "float32") => ModelConfigWriter.Write(this, dtype);

    /// <summary>What is told where an id is none of the model's.</summary>
    internal R1Exception UnknownToken(long id) =>
        new($"Token id {id} is outside the model's vocabulary of {VocabularySize}; the tokenizer and the model do not belong together.");

    /// <exception cref="R1Exception">The numbers do not fit together.</exception>
    internal ModelConfig Validated(string fileName)
    {
        foreach (var (name, value) in new[]
        {
            ("vocab_size", VocabularySize), ("hidden_size", HiddenSize), ("intermediate_size", IntermediateSize), ("num_hidden_layers", Layers),
            ("num_attention_heads", Heads), ("num_key_value_heads", KeyValueHeads), ("head_dim", HeadDim), ("max_position_embeddings", MaxPositions),
        })
            CheckSize(fileName, name, value);
        CheckLayers(fileName, Layers);
        CheckSize(fileName, "num_attention_heads times head_dim", (long)Heads * HeadDim);
        if (Heads % KeyValueHeads != 0)
            throw new R1Exception($"{fileName}: num_attention_heads {Heads} is not a multiple of num_key_value_heads {KeyValueHeads}.");
        if (RotaryWidth % 2 != 0) throw new R1Exception($"{fileName}: the width of a head, {RotaryWidth}, must be even, as rotary embeddings turn pairs.");
        if (SlidingWindow is <= 0) throw new R1Exception($"{fileName}: sliding_window must be positive, found {SlidingWindow}.");
        if (!(RmsNormEpsilon > 0) || !double.IsFinite(RmsNormEpsilon)) throw new R1Exception($"{fileName}: rms_norm_eps must be positive, found {RmsNormEpsilon}.");
        if (!(RopeTheta > 1) || !double.IsFinite(RopeTheta)) throw new R1Exception($"{fileName}: rope_theta must be greater than 1, found {RopeTheta}.");
        if (MultiTokenPredictionLayers is < 0 or > MostLayers) throw new R1Exception($"{fileName}: num_nextn_predict_layers must lie between 0 and {MostLayers}, found {MultiTokenPredictionLayers}.");
        RopeScaling?.Validate(fileName);
        LatentAttention?.Validate(fileName, Heads);
        Experts?.Validate(fileName);
        return this;
    }

    /// <exception cref="R1Exception">A width or a count that no tensor can have.</exception>
    internal static void CheckSize(string fileName, string name, long value)
    {
        if (value <= 0) throw new R1Exception($"{fileName}: {name} must be positive, found {value}.");
        if (value > LargestSize) throw new R1Exception($"{fileName}: {name} must be at most {LargestSize}, found {value}.");
    }

    /// <exception cref="R1Exception">More layers than are believed.</exception>
    internal static void CheckLayers(string fileName, int layers)
    {
        if (layers > MostLayers) throw new R1Exception($"{fileName}: num_hidden_layers must be at most {MostLayers}, found {layers}.");
    }
}
