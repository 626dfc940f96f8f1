using System.Text.Json.Nodes;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using DeepSeekR1.Testing;
using static DeepSeekR1.Tests.Models.ModelFixtures;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Models;

/// <summary>Adapters against PEFT.</summary>
public class LoraTests
{
    private const double LogitBound = 2e-4;
    private const double GradientBound = 1e-4;

    public static TheoryData<string> Adapters => ["lora-llama", "lora-llama-rslora", "lora-qwen2", "lora-qwen2-rslora"];

    [Theory, MemberData(nameof(Adapters))]
    public void Logits_loss_and_gradients_equal_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        var (model, adapter, golden) = Open(name);
        using var _ = model;
        using var __ = adapter;
        var seen = golden["attention_mask"].to(ScalarType.Bool);
        var logits = model.Logits(model.Hidden(golden["input_ids"]));
        Assert.InRange(Difference(logits[seen], golden["logits"][seen]), 0, LogitBound);
        var loss = Loss(logits, golden["labels"]);
        Assert.Equal(golden["loss"].item<float>(), loss.item<float>(), 1e-4);
        loss.backward();

        Assert.All(model.Parameters.Values, parameter => Assert.True(parameter.grad is null && !parameter.requires_grad));
        Assert.Equal(golden.Keys.Where(key => key.StartsWith("grad.", StringComparison.Ordinal)).Select(key => key[5..]).Order(StringComparer.Ordinal),
            adapter.Parameters.Keys.Order(StringComparer.Ordinal));
        foreach (var (parameter, value) in adapter.Parameters)
        {
            var expected = golden["grad." + parameter];
            Assert.InRange(Difference(value.grad!, expected) / expected.abs().max().item<float>(), 0, GradientBound);
        }
    }

    [Theory, MemberData(nameof(Adapters))]
    public void Merging_equals_the_reference_and_unmerging_is_exact(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (model, adapter, golden) = Open(name);
        using var _ = model;
        using var __ = adapter;
        var before = model.Parameters.ToDictionary(parameter => parameter.Key, parameter => parameter.Value.detach().clone());
        var seen = golden["attention_mask"].to(ScalarType.Bool);

        adapter.Merge();
        Assert.InRange(Difference(model.Logits(model.Hidden(golden["input_ids"]))[seen], golden["merged_logits"][seen]), 0, LogitBound);
        string merged = golden.Keys.Single(key => key.StartsWith("merged.", StringComparison.Ordinal));
        Assert.InRange(Difference(model.Parameters[merged["merged.".Length..]], golden[merged]), 0, 1e-6);

        adapter.Unmerge();
        Assert.All(before, parameter => Assert.Equal(0, Difference(model.Parameters[parameter.Key], parameter.Value)));
        Assert.InRange(Difference(model.Logits(model.Hidden(golden["input_ids"]))[seen], golden["logits"][seen]), 0, LogitBound);
    }

    [Theory, MemberData(nameof(Adapters))]
    public void Switched_off_the_model_is_its_own_reference(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (model, adapter, golden) = Open(name);
        using var _ = model;
        var ids = golden["input_ids"];
        using var plain = Load(BaseOf(name));
        var expected = plain.Logits(plain.Hidden(ids));
        using (adapter.Disabled()) Assert.Equal(0, Difference(model.Logits(model.Hidden(ids)), expected));
        Assert.NotEqual(0, Difference(model.Logits(model.Hidden(ids)), expected));
        adapter.Dispose();
        Assert.Equal(0, Difference(model.Logits(model.Hidden(ids)), expected));
        Assert.All(model.Parameters.Values, parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void A_saved_adapter_has_PEFTs_names_and_loads_again()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var (model, adapter, _) = Open("lora-qwen2-rslora");
        using var __ = model;
        PeftAdapter.Save(adapter, folder.Path, "../qwen2");
        var original = SafeTensors.Load(Reference.Golden("models", "lora-qwen2-rslora", "adapter_model.safetensors"));
        var saved = SafeTensors.Load(folder.File("adapter_model.safetensors"));
        Assert.Equal(original.Keys.Order(StringComparer.Ordinal), saved.Keys.Order(StringComparer.Ordinal));
        Assert.All(original, tensor => Assert.Equal(0, Difference(saved[tensor.Key], tensor.Value)));
        adapter.Dispose();
        using var again = PeftAdapter.Load(model, folder.Path);
        Assert.Equal(adapter.Config.Scale, again.Config.Scale);
    }

    [Fact]
    public void All_linear_projections_are_named_in_the_file_as_PEFT_names_them()
    {
        using var folder = new TemporaryFolder();
        using var model = Load("llama");
        using var adapter = LoraAdapter.Attach(model, new LoraConfig { Rank = 8, Alpha = 16 }, new AddressedRandom(1, RandomPurpose.Weights));
        PeftAdapter.Save(adapter, folder.Path, "../llama");
        JsonNode saved = JsonNode.Parse(File.ReadAllText(folder.File("adapter_config.json")))!;
        JsonNode golden = JsonNode.Parse(File.ReadAllText(Reference.Golden("models", "lora-llama", "adapter_config.json")))!;
        Assert.Equal(Names(golden), Names(saved));
        // Every other field is one of PEFT's, with the value that PEFT writes.
        foreach (var (field, value) in saved.AsObject().Where(field => field.Key != "target_modules"))
            Assert.True(JsonNode.DeepEquals(golden[field], value), $"{field}: {value} where PEFT writes {golden[field]}");

        static IEnumerable<string> Names(JsonNode config) => config["target_modules"]!.AsArray().Select(name => (string)name!).Order(StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("deepseek-v3")]
    public void A_fresh_adapter_changes_nothing_until_it_is_trained(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Load(name);
        var ids = GoldenTensors(name)["input_ids"];
        var before = model.Logits(model.Hidden(ids)).detach();
        using var adapter = LoraAdapter.Attach(model, new LoraConfig { Rank = 4, Alpha = 8 }, new AddressedRandom(1, RandomPurpose.Weights));
        var logits = model.Logits(model.Hidden(ids));
        Assert.Equal(0, Difference(logits, before));
        logits.sum().backward();
        // With B zero the gradient reaches B alone.
        var b = adapter.Parameters.Where(parameter => parameter.Key.Contains("lora_B", StringComparison.Ordinal) && !parameter.Key.Contains("experts.", StringComparison.Ordinal));
        Assert.All(b, parameter => Assert.NotEqual(0, parameter.Value.grad!.abs().max().item<float>()));
    }

    [Fact]
    public void Cached_latent_attention_sees_the_adapter_too()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Load("deepseek-v3");
        using var adapter = LoraAdapter.Attach(model, new LoraConfig { TargetModules = ["kv_b_proj"] }, new AddressedRandom(1, RandomPurpose.Weights));
        foreach (var parameter in adapter.Parameters.Values) parameter.fill_(0.05);
        var ids = GoldenTensors("deepseek-v3")["input_ids"].narrow(1, 0, 12);
        var full = model.Hidden(ids);
        using var cache = KvCache.Create(model, (int)ids.shape[0], 12);
        model.Hidden(ids.narrow(1, 0, 11), cache: cache);
        Assert.InRange(Difference(model.Hidden(ids.narrow(1, 11, 1), cache: cache), full.narrow(1, 11, 1)), 0, 1e-4);
    }

    [Theory]
    [InlineData("\"use_dora\": false", "\"use_dora\": true", "use_dora is not supported")]
    [InlineData("\"peft_type\": \"LORA\"", "\"peft_type\": \"IA3\"", "peft_type must be LORA")]
    [InlineData("\"r\": 8", "\"r\": 4", "has shape")]
    [InlineData("\"q_proj\",", "", "belongs to no target module")]
    [InlineData("\"q_proj\",", "\"q_proj\", \"lm_head\",", null)]
    [InlineData("\"bias\": \"none\"", "\"bias\": \"all\"", "bias must be none")]
    [InlineData("\"lora_alpha\": 16", "\"lora_alpha\": 1e308", "lora_alpha must lie between")]
    [InlineData("\"arrow_config\": null", "\"arrow_config\": {\"top_k\": 2}", "arrow_config is not supported")]
    [InlineData("\"init_lora_weights\": true", "\"init_lora_weights\": \"pissa_niter_4\"", "init_lora_weights pissa_niter_4 changes the base model")]
    [InlineData("\"init_lora_weights\": true", "\"init_lora_weights\": \"gaussian\"", null)]
    public void Unusual_adapters_are_understood_or_refused(string field, string changed, string? complaint)
    {
        using var folder = new TemporaryFolder();
        string source = Reference.Golden("models", "lora-llama");
        string json = File.ReadAllText(Path.Combine(source, "adapter_config.json"));
        Assert.SkipUnless(json.Contains(field, StringComparison.Ordinal), "this draw's adapter has another rank");
        File.WriteAllText(folder.File("adapter_config.json"), json.Replace(field, changed, StringComparison.Ordinal));
        File.Copy(Path.Combine(source, "adapter_model.safetensors"), folder.File("adapter_model.safetensors"));
        using var model = Load("llama");
        if (complaint is null) PeftAdapter.Load(model, folder.Path).Dispose();
        else Assert.Contains(complaint, Assert.Throws<R1Exception>(() => PeftAdapter.Load(model, folder.Path)).Message);
    }

    [Fact]
    public void A_pickled_adapter_is_not_opened_and_the_remedy_is_told()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Reference.Golden("models", "lora-llama", "adapter_config.json"), folder.File("adapter_config.json"));
        File.WriteAllBytes(folder.File("adapter_model.bin"), [0x80, 0x02, 0x2e]);
        using var model = Load("llama");
        Assert.Contains("adapter_model.bin is a pickle", Assert.Throws<R1Exception>(() => PeftAdapter.Load(model, folder.Path)).Message, StringComparison.Ordinal);
    }

    private static string BaseOf(string name) => (string)GoldenJson(name)["base_model"]!;

    private static (CausalLM Model, LoraAdapter Adapter, Dictionary<string, Tensor> Golden) Open(string name)
    {
        var model = Load(BaseOf(name));
        return (model, PeftAdapter.Load(model, Reference.Golden("models", name)), GoldenTensors(name));
    }
}
