using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using static DeepSeekR1.Tests.Models.ModelFixtures;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Models;

public class GradientCheckpointingTests
{
    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2-sliding")]
    [InlineData("deepseek-v3")]
    public void Recomputed_layers_give_the_same_loss_and_gradients(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Load(name);
        var golden = GoldenTensors(name);
        var plain = Gradients(model, golden);
        model.GradientCheckpointing = true;
        var recomputed = Gradients(model, golden);
        Assert.Equal(plain.Keys, recomputed.Keys);
        Assert.All(plain, gradient => Assert.Equal(0, Difference(recomputed[gradient.Key], gradient.Value)));
    }

    [Fact]
    public void An_adapter_on_a_frozen_model_is_trained_too()
    {
        using var scope = NewDisposeScope();
        using var model = Load("llama");
        using var adapter = LoraAdapter.Attach(model, new LoraConfig { Rank = 4 }, new AddressedRandom(1, RandomPurpose.Weights));
        model.GradientCheckpointing = true;
        Loss(model.Logits(model.Hidden(GoldenTensors("llama")["input_ids"])), GoldenTensors("llama")["labels"]).backward();
        Assert.All(adapter.Parameters.Where(parameter => parameter.Key.Contains("lora_B", StringComparison.Ordinal)),
            parameter => Assert.NotEqual(0, parameter.Value.grad!.abs().max().item<float>()));
    }

    private static Dictionary<string, Tensor> Gradients(CausalLM model, Dictionary<string, Tensor> golden)
    {
        foreach (var parameter in model.Parameters.Values) parameter.grad = null;
        Loss(model.Logits(model.Hidden(golden["input_ids"])), golden["labels"]).backward();
        return model.Parameters.Where(parameter => parameter.Value.grad is not null).ToDictionary(parameter => parameter.Key, parameter => parameter.Value.grad!.clone());
    }
}
