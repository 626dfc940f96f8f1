using System.Text.Json.Nodes;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Models;
using DeepSeekR1.Testing;

namespace DeepSeekR1.Tests.Models;

public class ModelConfigTests
{
    [Theory]
    [InlineData("llama", "num_hidden_layers", "2000000000", "num_hidden_layers must be at most 4096, found 2000000000")]
    [InlineData("llama", "vocab_size", "2147483647", "vocab_size must be at most 16777216")]
    // 4 heads: the product is 64 modulo 2^32, which is what the file holds.
    [InlineData("llama", "head_dim", "1073741840", "head_dim must be at most 16777216")]
    [InlineData("llama", "head_dim", "16777216", "num_attention_heads times head_dim must be at most 16777216")]
    [InlineData("llama", "num_attention_heads", "2.5", "num_attention_heads must be an integer, found 2.5")]
    [InlineData("llama", "quantization_config", """{ "quant_method": "gptq" }""", "the weights are quantised (gptq)")]
    [InlineData("llama", "partial_rotary_factor", "0.5", "partial_rotary_factor 0.5 is not supported")]
    [InlineData("llama", "rope_parameters", """{ "rope_type": "default", "partial_rotary_factor": 0.25 }""", "rope_parameters.partial_rotary_factor 0.25 is not supported")]
    [InlineData("llama", "rope_parameters", """{ "rope_type": "dynamic", "factor": 2 }""", "rope_parameters.rope_type dynamic is not supported; supported are default, linear, llama3, yarn")]
    [InlineData("llama", "architectures", "\"LlamaForCausalLM\"", "architectures must be an array")]
    [InlineData("qwen3-moe", "num_local_experts", "2000000000", "the number of experts must be at most 65536")]
    [InlineData("deepseek-v3", "n_shared_experts", "2000000000", "n_shared_experts times moe_intermediate_size must be at most 16777216")]
    [InlineData("deepseek-v3", "v_head_dim", "16777216", "num_attention_heads times qk_nope_head_dim + v_head_dim must be at most")]
    [InlineData("deepseek-v3", "num_nextn_predict_layers", "-1", "num_nextn_predict_layers must lie between 0 and 4096, found -1")]
    [InlineData("deepseek-v3", "scoring_func", "\"softmax\"", "scoring_func softmax is not supported; supported is sigmoid")]
    [InlineData("qwen2-sliding", "sliding_window", "0", "sliding_window must be positive")]
    public void A_setting_that_cannot_be_is_named(string model, string field, string value, string complaint) =>
        Assert.Contains(complaint, Assert.Throws<R1Exception>(() => ModelConfig.Parse(With(model, field, value))).Message, StringComparison.Ordinal);

    [Fact]
    public void Layers_that_no_file_holds_are_not_counted_to_the_end()
    {
        // 4096 layers of 65,536 experts would be 800 million tensors.
        using var folder = new TemporaryFolder();
        var json = JsonNode.Parse(With("qwen3-moe", "num_hidden_layers", "4096"))!;
        json["num_local_experts"] = 65536;
        json.AsObject().Remove("layer_types");
        File.WriteAllText(folder.File("config.json"), json.ToJsonString());
        File.CreateSymbolicLink(folder.File("model.safetensors"), Reference.Golden("models", "qwen3-moe", "model.safetensors"));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("mlp.gate.weight has shape", Assert.Throws<R1Exception>(() => HfCheckpoint.LoadModel(folder.Path, ModelFixtures.Runtime)).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 128 << 20);
    }

    [Theory]
    [InlineData("false", null, 0)]
    [InlineData("true", null, 4)]
    [InlineData("true", "2", 2)]
    [InlineData("true", "28", 0)]
    public void Qwen2_slides_only_where_it_is_switched_on_and_behind_its_full_layers(string isOn, string? fullLayers, int sliding)
    {
        var json = JsonNode.Parse(With("qwen2-sliding", "use_sliding_window", isOn))!.AsObject();
        json.Remove("layer_types");
        json["max_window_layers"] = JsonNode.Parse(fullLayers ?? "0");
        Assert.Equal(sliding, ModelConfig.Parse(json.ToJsonString()).SlidingLayers.Count);
    }

    private static string With(string model, string field, string value)
    {
        var json = JsonNode.Parse(File.ReadAllText(Reference.Golden("models", model, "config.json")))!;
        json[field] = JsonNode.Parse(value);
        return json.ToJsonString();
    }
}
