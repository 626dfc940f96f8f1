using System.Text.Json.Nodes;

namespace DeepSeekR1.Models;

/// <summary>From <c>config.json</c> to <see cref="ModelConfig"/>, with the defaults of transformers.</summary>
internal static class ModelConfigReader
{
    public static ModelConfig Read(string json, string file)
    {
        var fields = JsonFields.Parse(json, file);
        var (family, architecture) = ReadArchitecture(fields);
        if (fields.OptionalText("hidden_act") is { } activation && activation is not ("silu" or "swish"))
            throw fields.Error($"hidden_act {activation} is not supported; supported is silu");
        if (ModelFamily.IsClassifier(architecture)) CheckSingleLabel(fields);
        if (fields.OptionalObject("quantization_config") is { } quantization)
            throw fields.Error($"the weights are quantised ({quantization.OptionalText("quant_method") ?? "quantization_config"}), which is not supported; take the model they were made from");

        int layers = Positive(fields, "num_hidden_layers");
        ModelConfig.CheckLayers(file, layers);
        bool attentionBias = family != ModelFamily.Mistral && family != ModelFamily.Qwen2 && fields.Flag("attention_bias");
        int? slidingWindow = ReadSlidingWindow(fields, family);
        var config = new ModelConfig
        {
            Architecture = architecture,
            VocabularySize = Positive(fields, "vocab_size"),
            HiddenSize = Positive(fields, "hidden_size"),
            IntermediateSize = Positive(fields, "intermediate_size"),
            Layers = layers,
            Heads = Positive(fields, "num_attention_heads"),
            KeyValueHeads = PositiveOrAbsent(fields, "num_key_value_heads") ?? 0,
            HeadDim = PositiveOrAbsent(fields, "head_dim") ?? 0,
            RmsNormEpsilon = fields.Number("rms_norm_eps", 1e-6),
            RopeTheta = RopeJson.ReadTheta(fields),
            RopeScaling = RopeJson.ReadScaling(fields),
            MaxPositions = fields.Integer("max_position_embeddings", 2048),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings"),
            QueryKeyValueBias = attentionBias || family == ModelFamily.Qwen2,
            AttentionOutputBias = attentionBias,
            MlpBias = family == ModelFamily.Llama && fields.Flag("mlp_bias"),
            QueryKeyNorm = family == ModelFamily.Qwen3 || family == ModelFamily.Qwen3Moe,
            SlidingWindow = slidingWindow,
            SlidingLayers = slidingWindow is null ? new HashSet<int>() : ReadSlidingLayers(fields, family, layers),
            LatentAttention = family == ModelFamily.DeepSeekV3 ? ReadLatentAttention(fields) : null,
            Experts =
                family == ModelFamily.Qwen3Moe ? ReadQwen3Experts(fields, layers) :
                family == ModelFamily.DeepSeekV3 ? ReadDeepSeekExperts(fields, layers) : null,
            MultiTokenPredictionLayers = fields.Integer("num_nextn_predict_layers", 0),
            Source = fields.Json,
        };
        return config.Validated(file);
    }

    public static string UnknownArchitecture(string name) => $"architecture {name} is not supported; supported are {ModelFamily.Known}";

    private static (ModelFamily Family, string Architecture) ReadArchitecture(JsonFields fields)
    {
        if (fields.OptionalArray("architectures") is { Count: > 0 } listed)
        {
            string name = listed[0] is JsonValue value && value.TryGetValue(out string? text) ? text : throw fields.Wrong("architectures", "an array of strings", listed);
            return (ModelFamily.OfArchitecture(name) ?? throw fields.Error(UnknownArchitecture(name)), name);
        }
        if (fields.OptionalText("model_type") is { } modelType)
        {
            var family = ModelFamily.OfModelType(modelType) ?? throw fields.Error($"model_type {modelType} is not supported; supported are {ModelFamily.Known}");
            return (family, family.CausalLM);
        }
        throw fields.Error("neither architectures nor model_type is given");
    }

    private static void CheckSingleLabel(JsonFields fields)
    {
        int labels = fields.OptionalObject("id2label")?.Json.Count ?? fields.Integer("num_labels", 2);
        if (labels != 1) throw fields.Error($"a sequence classifier must have 1 label (id2label), found {labels}");
    }

    private static int? ReadSlidingWindow(JsonFields fields, ModelFamily family)
    {
        bool hasSwitch = family == ModelFamily.Qwen2 || family == ModelFamily.Qwen3 || family == ModelFamily.Qwen3Moe;
        bool slides = family == ModelFamily.Mistral || (hasSwitch && fields.Flag("use_sliding_window"));
        return slides ? PositiveOrAbsent(fields, "sliding_window") : null;
    }

    private static HashSet<int> ReadSlidingLayers(JsonFields fields, ModelFamily family, int layers)
    {
        bool hasFullLayersFirst = family == ModelFamily.Qwen2 || family == ModelFamily.Qwen3;
        if (!hasFullLayersFirst) return [.. Enumerable.Range(0, layers)];
        if (fields.OptionalArray("layer_types") is not { } types)
        {
            const int defaultFullLayers = 28;
            int full = fields.Integer("max_window_layers", defaultFullLayers);
            return [.. Enumerable.Range(0, layers).Where(layer => layer >= full)];
        }
        if (types.Count != layers) throw fields.Error($"layer_types names {types.Count} layers, num_hidden_layers says {layers}");
        var sliding = new HashSet<int>();
        for (int layer = 0; layer < layers; layer++)
        {
            string? type = types[layer] is JsonValue value && value.TryGetValue(out string? text) ? text : null;
            if (type == "sliding_attention") sliding.Add(layer);
            else if (type != "full_attention") throw fields.Error($"layer_types entry {layer} must be full_attention or sliding_attention, found {types[layer]?.ToJsonString() ?? "null"}");
        }
        return sliding;
    }

    private static LatentAttentionConfig ReadLatentAttention(JsonFields fields) => new()
    {
        QueryRank = PositiveOrAbsent(fields, "q_lora_rank"),
        KeyValueRank = Positive(fields, "kv_lora_rank"),
        PlainHeadDim = Positive(fields, "qk_nope_head_dim"),
        RotaryHeadDim = Positive(fields, "qk_rope_head_dim"),
        ValueHeadDim = Positive(fields, "v_head_dim"),
        RotaryInterleaved = fields.Flag("rope_interleave", whenAbsent: true),
    };

    private static ExpertsConfig ReadQwen3Experts(JsonFields fields, int layers)
    {
        int step = PositiveOrAbsent(fields, "decoder_sparse_step") ?? 1;
        var listed = (fields.OptionalArray("mlp_only_layers") ?? []).Select(node =>
            node is JsonValue value && value.TryGetValue(out int layer) ? layer : throw fields.Error("mlp_only_layers must be an array of integers")).ToHashSet();
        return new ExpertsConfig
        {
            // Published checkpoints say num_experts, transformers 5 says num_local_experts.
            Count = PositiveOrAbsent(fields, "num_local_experts") ?? Positive(fields, "num_experts"),
            PerToken = Positive(fields, "num_experts_per_tok"),
            IntermediateSize = Positive(fields, "moe_intermediate_size"),
            Scoring = RouterScoring.Softmax,
            NormalizeWeights = fields.Flag("norm_topk_prob"),
            DenseLayers = Enumerable.Range(0, layers).Where(layer => listed.Contains(layer) || (layer + 1) % step != 0).ToHashSet(),
        };
    }

    private static ExpertsConfig ReadDeepSeekExperts(JsonFields fields, int layers)
    {
        if (fields.OptionalText("scoring_func") is { } scoring && scoring != "sigmoid") throw fields.Error($"scoring_func {scoring} is not supported; supported is sigmoid");
        if (fields.OptionalText("topk_method") is { } method && method != "noaux_tc") throw fields.Error($"topk_method {method} is not supported; supported is noaux_tc");
        int dense = fields.Integer("first_k_dense_replace", 0), step = PositiveOrAbsent(fields, "moe_layer_freq") ?? 1;
        return new ExpertsConfig
        {
            Count = Positive(fields, "n_routed_experts"),
            PerToken = Positive(fields, "num_experts_per_tok"),
            IntermediateSize = Positive(fields, "moe_intermediate_size"),
            Shared = fields.Integer("n_shared_experts", 0),
            Scoring = RouterScoring.Sigmoid,
            NormalizeWeights = fields.Flag("norm_topk_prob", whenAbsent: true),
            ScalingFactor = fields.Number("routed_scaling_factor", 1),
            Groups = fields.Integer("n_group", 1),
            GroupsPerToken = fields.Integer("topk_group", 1),
            DenseLayers = Enumerable.Range(0, layers).Where(layer => layer < dense || layer % step != 0).ToHashSet(),
        };
    }

    private static int Positive(JsonFields fields, string name)
    {
        int value = fields.Integer(name);
        return value > 0 ? value : throw fields.Error($"{name} must be positive, found {value}");
    }

    private static int? PositiveOrAbsent(JsonFields fields, string name) => fields.Has(name) ? Positive(fields, name) : null;
}
