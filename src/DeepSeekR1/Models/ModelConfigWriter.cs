using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeepSeekR1.Models;

/// <summary>From <see cref="ModelConfig"/> to <c>config.json</c>; fields that were read and are not known here stay as they were.</summary>
internal static class ModelConfigWriter
{
    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true };

    public static string Write(ModelConfig config, string dtype)
    {
        var family = ModelFamily.OfArchitecture(config.Architecture) ?? throw new R1Exception(ModelConfigReader.UnknownArchitecture(config.Architecture));
        var json = config.Source?.DeepClone() as JsonObject ?? [];
        json["architectures"] = new JsonArray(config.Architecture);
        json["model_type"] = family.ModelType;
        json["vocab_size"] = config.VocabularySize;
        json["hidden_size"] = config.HiddenSize;
        json["intermediate_size"] = config.IntermediateSize;
        json["num_hidden_layers"] = config.Layers;
        json["num_attention_heads"] = config.Heads;
        json["num_key_value_heads"] = config.KeyValueHeads;
        json["hidden_act"] = "silu";
        json["rms_norm_eps"] = config.RmsNormEpsilon;
        json["max_position_embeddings"] = config.MaxPositions;
        json["tie_word_embeddings"] = config.TieWordEmbeddings;
        if (config.LatentAttention is { } latent) WriteLatentAttention(json, latent);
        else if (json.ContainsKey("head_dim") || config.HeadDim * config.Heads != config.HiddenSize) json["head_dim"] = config.HeadDim;
        if (family != ModelFamily.Qwen2 && family != ModelFamily.Mistral) WriteUnlessUsual(json, "attention_bias", config.QueryKeyValueBias);
        if (family == ModelFamily.Llama) WriteUnlessUsual(json, "mlp_bias", config.MlpBias);
        if (config.Experts is { } experts) WriteExperts(json, experts, family);
        if (config.SlidingWindow is { } window) WriteSlidingWindow(json, config, window, family);
        if (config.IsClassifier) WriteSingleLabel(json);
        RopeJson.Write(json, config);
        json[json.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = dtype;
        return json.ToJsonString(_indented) + "\n";
    }

    private static void WriteLatentAttention(JsonObject json, LatentAttentionConfig latent)
    {
        json["q_lora_rank"] = latent.QueryRank;
        json["kv_lora_rank"] = latent.KeyValueRank;
        json["qk_nope_head_dim"] = latent.PlainHeadDim;
        json["qk_rope_head_dim"] = latent.RotaryHeadDim;
        json["v_head_dim"] = latent.ValueHeadDim;
        if (json.ContainsKey("rope_interleave") || !latent.RotaryInterleaved) json["rope_interleave"] = latent.RotaryInterleaved;
    }

    private static void WriteExperts(JsonObject json, ExpertsConfig experts, ModelFamily family)
    {
        json["num_experts_per_tok"] = experts.PerToken;
        json["moe_intermediate_size"] = experts.IntermediateSize;
        json["norm_topk_prob"] = experts.NormalizeWeights;
        if (family == ModelFamily.Qwen3Moe)
        {
            json[json.ContainsKey("num_local_experts") ? "num_local_experts" : "num_experts"] = experts.Count;
            if (!json.ContainsKey("decoder_sparse_step")) json["mlp_only_layers"] = new JsonArray([.. experts.DenseLayers.Order().Select(layer => (JsonNode)layer)]);
            return;
        }
        json["n_routed_experts"] = experts.Count;
        json["n_shared_experts"] = experts.Shared;
        json["routed_scaling_factor"] = experts.ScalingFactor;
        json["n_group"] = experts.Groups;
        json["topk_group"] = experts.GroupsPerToken;
        json["scoring_func"] = "sigmoid";
        json["topk_method"] = "noaux_tc";
        if (!json.ContainsKey("first_k_dense_replace")) json["first_k_dense_replace"] = experts.DenseLayers.Count;
    }

    private static void WriteSlidingWindow(JsonObject json, ModelConfig config, int window, ModelFamily family)
    {
        json["sliding_window"] = window;
        if (family == ModelFamily.Mistral) return;
        json["use_sliding_window"] = true;
        if (!json.ContainsKey("max_window_layers") || json.ContainsKey("layer_types"))
            json["layer_types"] = new JsonArray([.. Enumerable.Range(0, config.Layers).Select(layer => (JsonNode)(config.SlidingLayers.Contains(layer) ? "sliding_attention" : "full_attention"))]);
    }

    private static void WriteSingleLabel(JsonObject json)
    {
        if (json.ContainsKey("id2label")) return;
        json["id2label"] = new JsonObject { ["0"] = "LABEL_0" };
        json["label2id"] = new JsonObject { ["LABEL_0"] = 0 };
    }

    private static void WriteUnlessUsual(JsonObject json, string name, bool value)
    {
        if (json.ContainsKey(name) || value) json[name] = value;
    }
}
