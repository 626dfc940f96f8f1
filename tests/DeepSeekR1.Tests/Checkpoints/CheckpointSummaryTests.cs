using DeepSeekR1.Checkpoints;
using DeepSeekR1.Testing;

namespace DeepSeekR1.Tests.Checkpoints;

public class CheckpointSummaryTests
{
    [Fact]
    public void A_model_folder_is_described_without_its_weights()
    {
        var summary = CheckpointSummary.Of(Reference.SmolLm2());
        // 134,515,008 is the count on the model's card.
        Assert.Equal(("LlamaForCausalLM", 134_515_008L, 134_515_008L), (summary.Architecture, summary.Parameters, summary.ActiveParameters));
        Assert.Equal(272, summary.Tensors.Count);
        Assert.All(summary.Tensors, tensor => Assert.Equal("BF16", tensor.Dtype));
        Assert.Equal([49152L, 576L], summary.Tensors.Single(tensor => tensor.Name == "model.embed_tokens.weight").Shape);
        Assert.StartsWith("49,152 tokens", summary.Tokenizer, StringComparison.Ordinal);
        Assert.Equal(368, summary.ChatTemplate!.Length);
        Assert.Equal([new TokenSummary(2, "<|im_end|>")], summary.StopTokens);
    }

    [Theory]
    [InlineData("qwen3-moe")]
    [InlineData("deepseek-v3")]
    public void Active_parameters_are_those_a_token_meets(string model)
    {
        string folder = Reference.Golden("models", model);
        var config = HfCheckpoint.LoadConfig(folder);
        var summary = CheckpointSummary.Of(folder);
        long idle = summary.Tensors.Where(tensor => tensor.Name.Contains(".mlp.experts.", StringComparison.Ordinal)).Sum(tensor => tensor.Elements)
            * (config.Experts!.Count - config.Experts.PerToken) / config.Experts.Count;
        Assert.Equal(summary.Parameters - idle, summary.ActiveParameters);
        Assert.Equal(summary.Tensors.Sum(tensor => tensor.Elements), summary.Parameters);
    }

    [Fact]
    public void An_adapter_names_its_settings_and_its_base()
    {
        var summary = CheckpointSummary.Of(Reference.Golden("models", "lora-qwen2-rslora"));
        Assert.StartsWith("LoRA adapter, rank 8, alpha 16, rank-stabilized", summary.Architecture, StringComparison.Ordinal);
        Assert.Contains("qwen2", Assert.Single(summary.Notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gguf", "llama-q8_0.gguf", 21, 135_488)]
    [InlineData("models", "llama/model.safetensors", 21, 135_488)]
    public void Single_files_are_described(string folder, string file, int tensors, long parameters)
    {
        var summary = CheckpointSummary.Of(Reference.Golden(folder, file));
        Assert.Equal((tensors, parameters), (summary.Tensors.Count, summary.Parameters));
    }

    [Fact]
    public void What_is_absent_or_damaged_is_an_error_with_its_name()
    {
        Assert.Contains("nowhere: no such folder or file", Assert.Throws<R1Exception>(() => CheckpointSummary.Of("nowhere")).Message, StringComparison.Ordinal);
        foreach (string broken in Directory.EnumerateDirectories(Reference.Golden("models", "broken")))
            // NaN among the weights is only found by reading them.
            if (Path.GetFileName(broken) is not "intact" && !Path.GetFileName(broken).Contains("nan", StringComparison.Ordinal) && !Path.GetFileName(broken).Contains("inf", StringComparison.Ordinal))
                Assert.True(Record.Exception(() => CheckpointSummary.Of(broken)) is null or R1Exception, broken);
    }
}
