using DeepSeekR1.Checkpoints;
using DeepSeekR1.Testing;
using DeepSeekR1.Tests.Models;
using static DeepSeekR1.Tests.Models.ModelFixtures;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Checkpoints;

public sealed class HfExportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("lora-llama", "llama")]
    [InlineData("lora-qwen2-rslora", "qwen2")]
    public void A_merged_adapter_gives_the_logits_of_the_reference(string adapter, string model)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        ModelFixtures.Runtime.BindThread();
        HfExport.Write(Reference.Golden("models", model), _folder.Path, Reference.Golden("models", adapter), ModelFixtures.Runtime);
        var golden = GoldenTensors(adapter);
        using var merged = HfCheckpoint.LoadModel(_folder.Path, ModelFixtures.Runtime, ScalarType.Float32);
        var seen = golden["attention_mask"].to(ScalarType.Bool);
        Assert.InRange(Difference(merged.Logits(merged.Hidden(golden["input_ids"]))[seen], golden["merged_logits"][seen]), 0, 2e-4);
    }

    [Theory]
    [InlineData("llama-bf16", ScalarType.BFloat16)]
    [InlineData("llama-sharded", ScalarType.Float32)]
    public void Without_an_adapter_every_tensor_stays_as_it_is(string model, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        string source = Reference.Golden("models", model);
        HfExport.Write(source, _folder.Path, adapter: null, ModelFixtures.Runtime);
        var written = SafeTensors.Load(_folder.File("model.safetensors"));
        foreach (string shard in Directory.EnumerateFiles(source, "model*.safetensors"))
            foreach (var (name, expected) in SafeTensors.Load(shard))
            {
                Assert.Equal(dtype, written[name].dtype);
                Assert.Equal(0, Difference(written[name], expected));
            }
    }

    [Fact]
    public void A_classifier_is_written_as_one()
    {
        using var scope = NewDisposeScope();
        string source = Reference.Golden("preference", "models", "qwen2_classifier");
        HfExport.Write(source, _folder.Path, adapter: null, ModelFixtures.Runtime);
        var written = SafeTensors.Load(_folder.File("model.safetensors"));
        foreach (var (name, expected) in SafeTensors.Load(Path.Combine(source, "model.safetensors"))) Assert.Equal(0, Difference(written[name], expected));
        HfCheckpoint.LoadClassifier(_folder.Path, ModelFixtures.Runtime).Dispose();
    }

    [Fact]
    public void The_sum_with_an_adapter_is_rounded_once()
    {
        using var scope = NewDisposeScope();
        ModelFixtures.Runtime.BindThread();
        HfExport.Write(Reference.Golden("models", "llama-bf16"), _folder.Path, Reference.Golden("models", "lora-llama"), ModelFixtures.Runtime);
        const string module = "model.layers.0.self_attn.q_proj";
        var weight = SafeTensors.Load(Reference.Golden("models", "llama-bf16", "model.safetensors"))[module + ".weight"].to(ScalarType.Float64);
        var adapter = SafeTensors.Load(Reference.Golden("models", "lora-llama", "adapter_model.safetensors"));
        // r 8, alpha 16: the product counts twice.
        var product = adapter[$"base_model.model.{module}.lora_B.weight"].to(ScalarType.Float64).mm(adapter[$"base_model.model.{module}.lora_A.weight"].to(ScalarType.Float64));
        var written = SafeTensors.Load(_folder.File("model.safetensors"))[module + ".weight"];
        Assert.Equal(ScalarType.BFloat16, written.dtype);
        // Half a unit in the last place of bfloat16 (8 bits of mantissa).
        Assert.InRange(((written.to(ScalarType.Float64) - (weight + product * 2)) / (weight + product * 2)).abs().max().item<double>(), 0, 1.0 / 256 + 1e-6);
    }

    [Fact]
    public void The_files_of_the_tokenizer_come_along()
    {
        HfExport.Write(Reference.SmolLm2(), _folder.Path, adapter: null, ModelFixtures.Runtime);
        foreach (string name in new[] { "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json" })
            Assert.Equal(File.ReadAllBytes(Path.Combine(Reference.SmolLm2(), name)), File.ReadAllBytes(_folder.File(name)));
    }

    [Fact]
    public void Nothing_of_an_earlier_tokenizer_stays()
    {
        File.WriteAllText(_folder.File("chat_template.jinja"), "{{ messages }}");
        File.WriteAllText(_folder.File("notes.txt"), "mine");
        HfExport.Write(Reference.Golden("models", "llama"), _folder.Path, adapter: null, ModelFixtures.Runtime);
        Assert.Equal(["config.json", "model.safetensors", "notes.txt"], Directory.GetFiles(_folder.Path).Select(path => Path.GetFileName(path)).Order());
    }

    [Fact]
    public void What_is_read_is_not_written_over()
    {
        // A copy: were the refusal broken, a reference folder would be overwritten.
        string model = _folder.File("model"), link = _folder.File("link");
        Directory.CreateDirectory(model);
        foreach (string name in new[] { "config.json", "model.safetensors" }) File.Copy(Reference.Golden("models", "llama", name), Path.Combine(model, name));
        Directory.CreateSymbolicLink(link, model);
        byte[] before = File.ReadAllBytes(Path.Combine(model, "config.json"));
        foreach (string output in new[] { model, model + "/", Path.Combine(model, "..", "model"), link })
            Assert.Contains("is what is read", Assert.Throws<R1Exception>(() => HfExport.Write(model, output, null, ModelFixtures.Runtime)).Message, StringComparison.Ordinal);
        Assert.Contains("is what is read", Assert.Throws<R1Exception>(() => HfExport.Write(Reference.Golden("models", "llama"), model + "/", model, ModelFixtures.Runtime)).Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(model, "config.json")));
    }
}
