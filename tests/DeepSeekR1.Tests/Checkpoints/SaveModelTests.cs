using System.Text.Json.Nodes;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using DeepSeekR1.Testing;
using static DeepSeekR1.Tests.Models.ModelFixtures;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Checkpoints;

public class SaveModelTests
{
    [Theory]
    [InlineData("llama", "config.json")]
    [InlineData("llama3-rope-tied", "config.json")]
    [InlineData("llama3-rope-tied", "config.classic.json")]
    [InlineData("llama-linear-rope-bias", "config.json")]
    [InlineData("qwen2", "config.classic.json")]
    [InlineData("qwen2-tied", "config.json")]
    [InlineData("qwen2-sliding", "config.json")]
    [InlineData("qwen2-sliding", "config.classic.json")]
    [InlineData("qwen3-tied-yarn", "config.classic.json")]
    [InlineData("qwen3-moe", "config.json")]
    [InlineData("qwen3-moe", "config.classic.json")]
    [InlineData("mistral-sliding", "config.json")]
    [InlineData("deepseek-v3", "config.json")]
    [InlineData("deepseek-v3-not-interleaved", "config.classic.json")]
    public void A_saved_folder_has_the_same_weights_and_configuration(string name, string config)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = Load(name, config);

        HfCheckpoint.SaveModel(model, folder.Path);

        var before = SafeTensors.Load(Reference.Golden("models", name, "model.safetensors"));
        var after = SafeTensors.Load(folder.File("model.safetensors"));
        Assert.Equal(before.Keys.Order(StringComparer.Ordinal), after.Keys.Order(StringComparer.Ordinal));
        Assert.All(before, tensor => Assert.True(tensor.Value.bytes.SequenceEqual(after[tensor.Key].bytes), tensor.Key));
        // The fields that were there are there, each with its value.
        var written = JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!.AsObject();
        foreach (var (field, value) in JsonNode.Parse(File.ReadAllText(Reference.Golden("models", name, config)))!.AsObject())
            Assert.True(JsonNode.DeepEquals(value, written[field]), $"{field}: {value} became {written[field]}");
        using var again = HfCheckpoint.LoadModel(folder.Path, Models.ModelFixtures.Runtime);
        Assert.Equal(model.Config.ToJson(), again.Config.ToJson());
    }

    [Fact]
    public void Shards_hold_no_more_than_asked_and_load_again()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = Load("llama");
        long largest = model.Parameters.Values.Max(parameter => parameter.numel() * 4);

        HfCheckpoint.SaveModel(model, folder.Path, maxShardBytes: largest);

        string[] shards = Directory.GetFiles(folder.Path, "model-*.safetensors");
        Assert.True(shards.Length > 1);
        Assert.False(File.Exists(folder.File("model.safetensors")));
        foreach (string shard in shards)
        {
            using var file = SafeTensors.Open(shard);
            Assert.InRange(file.Tensors.Values.Sum(tensor => tensor.Bytes), 1, largest);
        }
        using var again = HfCheckpoint.LoadModel(folder.Path, Models.ModelFixtures.Runtime);
        Assert.All(model.Parameters, parameter => Assert.True(parameter.Value.bytes.SequenceEqual(again.Parameters[parameter.Key].bytes)));
    }

    [Fact]
    public void Saving_over_a_sharded_folder_leaves_no_old_weights_and_keeps_other_files()
    {
        using var folder = new TemporaryFolder();
        using var model = Load("llama");
        File.WriteAllText(folder.File("tokenizer.json"), "{}");
        HfCheckpoint.SaveModel(model, folder.Path, maxShardBytes: 100_000);
        HfCheckpoint.SaveModel(model, folder.Path);
        Assert.Equal(["config.json", "model.safetensors", "tokenizer.json"], Directory.GetFiles(folder.Path).Select(path => Path.GetFileName(path)).Order());
    }

    [Fact]
    public void A_save_that_stops_while_it_writes_leaves_the_old_model()
    {
        using var folder = new TemporaryFolder();
        using CausalLM old = Load("llama"), other = Load("qwen2");
        HfCheckpoint.SaveModel(old, folder.Path);
        // Where the new weights are written aside stands a folder.
        Directory.CreateDirectory(folder.File("model.safetensors.new.partial"));
        Assert.Throws<R1Exception>(() => HfCheckpoint.SaveModel(other, folder.Path));
        using var again = HfCheckpoint.LoadModel(folder.Path, Models.ModelFixtures.Runtime);
        Assert.All(old.Parameters, parameter => Assert.True(parameter.Value.bytes.SequenceEqual(again.Parameters[parameter.Key].bytes)));
    }

    [Fact]
    public void A_save_that_stops_between_old_and_new_leaves_a_folder_that_does_not_load()
    {
        using var folder = new TemporaryFolder();
        using CausalLM old = Load("llama"), other = Load("qwen2");
        HfCheckpoint.SaveModel(old, folder.Path, maxShardBytes: 100_000);
        // Where the new weights are to stand there is a folder.
        Directory.CreateDirectory(folder.File("model.safetensors"));
        Assert.Throws<R1Exception>(() => HfCheckpoint.SaveModel(other, folder.Path));
        Assert.Contains("config.json not found", Assert.Throws<R1Exception>(() => HfCheckpoint.LoadModel(folder.Path, Models.ModelFixtures.Runtime)).Message, StringComparison.Ordinal);
        Directory.Delete(folder.File("model.safetensors"));
        HfCheckpoint.SaveModel(other, folder.Path);
        HfCheckpoint.LoadModel(folder.Path, Models.ModelFixtures.Runtime).Dispose();
    }

    [Fact]
    public void A_save_that_stops_while_it_writes_the_tokenizer_leaves_a_folder_that_does_not_load()
    {
        using var folder = new TemporaryFolder();
        using CausalLM old = Load("llama"), other = Load("qwen2");
        HfCheckpoint.SaveModel(old, folder.Path);
        Assert.Throws<R1Exception>(() => HfCheckpoint.SaveModel(other, folder.Path, saveBeside: _ => throw new IOException("the disk is full")));
        Assert.Contains("config.json not found", Assert.Throws<R1Exception>(() => HfCheckpoint.LoadModel(folder.Path, Models.ModelFixtures.Runtime)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_killed_save_left_goes_with_the_next()
    {
        using var folder = new TemporaryFolder();
        using var model = Load("llama");
        foreach (string name in new[] { "model-00001-of-00002.safetensors.new", "model-00002-of-00002.safetensors.new.partial" }) File.WriteAllText(folder.File(name), "");
        HfCheckpoint.SaveModel(model, folder.Path);
        Assert.Equal(["config.json", "model.safetensors"], Directory.GetFiles(folder.Path).Select(path => Path.GetFileName(path)).Order());
    }

    [Theory, InlineData("pytorch_model.bin"), InlineData("consolidated.00.pth")]
    public void Pickles_are_not_opened_and_the_remedy_is_told(string name)
    {
        using var folder = new TemporaryFolder();
        File.Copy(Reference.Golden("models", "llama", "config.json"), folder.File("config.json"));
        File.WriteAllBytes(folder.File(name), [0x80, 0x02, 0x2e]);
        string message = Assert.Throws<R1Exception>(() => HfCheckpoint.LoadModel(folder.Path, Models.ModelFixtures.Runtime)).Message;
        Assert.Contains(name, message, StringComparison.Ordinal);
        Assert.Contains("convert it to safetensors", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_computing_in_bfloat16_is_saved_so_and_says_so()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = HfCheckpoint.LoadModel(Reference.Golden("models", "llama"), Models.ModelFixtures.Runtime, ScalarType.BFloat16);
        HfCheckpoint.SaveModel(model, folder.Path);
        using var file = SafeTensors.Open(folder.File("model.safetensors"));
        Assert.All(file.Tensors.Values, tensor => Assert.Equal(ScalarType.BFloat16, tensor.Dtype));
        Assert.Equal("bfloat16", (string?)JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!["dtype"]);
    }

    [Fact]
    public void Multi_token_prediction_layers_are_left_out_with_a_note()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        string source = Reference.Golden("models", "deepseek-v3");
        var config = HfCheckpoint.LoadConfig(source);
        var tensors = SafeTensors.Load(Path.Combine(source, "model.safetensors"));
        tensors[$"model.layers.{config.Layers}.eh_proj.weight"] = zeros(3, 4);
        SafeTensors.Save(folder.File("model.safetensors"), tensors);
        File.Copy(Path.Combine(source, "config.json"), folder.File("config.json"));
        Assert.SkipUnless(config.MultiTokenPredictionLayers == 1, "this draw has no such layer");
        using var model = HfCheckpoint.LoadModel(folder.Path, Models.ModelFixtures.Runtime);
        Assert.Contains("1 tensors of 1 multi-token prediction layers", Assert.Single(model.Notes));
    }

    [Fact]
    public void Every_dtype_survives_a_file()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var tensors = new Dictionary<string, Tensor>
        {
            ["half"] = tensor(new[] { 1f, -2f, 3f }).to(ScalarType.Float16),
            ["brain"] = tensor(new[] { 1f, -2f }).to(ScalarType.BFloat16),
            ["double"] = tensor(1.5),
            ["long"] = arange(6, ScalarType.Int64).view(2, 3).t(),
            ["bytes"] = tensor(new byte[] { 1, 2, 255 }),
            ["flags"] = tensor(new[] { true, false }),
            ["empty"] = zeros([0, 4]),
        };
        SafeTensors.Save(folder.File("all.safetensors"), tensors, new Dictionary<string, string> { ["made"] = "here" });

        using var file = SafeTensors.Open(folder.File("all.safetensors"));
        Assert.Equal("here", file.Metadata["made"]);
        foreach (var (name, expected) in tensors)
        {
            var actual = file.Read(name);
            Assert.Equal(expected.dtype, actual.dtype);
            Assert.Equal(0, Difference(actual, expected));
        }
    }

    [Fact]
    public void A_fresh_model_is_the_same_for_the_same_seed_and_trains()
    {
        using var scope = NewDisposeScope();
        var config = new ModelConfig { VocabularySize = 50, HiddenSize = 16, IntermediateSize = 24, Layers = 2, Heads = 2, KeyValueHeads = 1, TieWordEmbeddings = true };
        using var one = CausalLM.Create(config, Models.ModelFixtures.Runtime, new AddressedRandom(1, RandomPurpose.Weights));
        using var same = CausalLM.Create(config, Models.ModelFixtures.Runtime, new AddressedRandom(1, RandomPurpose.Weights));
        using var other = CausalLM.Create(config, Models.ModelFixtures.Runtime, new AddressedRandom(2, RandomPurpose.Weights));
        Assert.Equal(config.ParameterCount, one.Parameters.Values.Sum(parameter => parameter.numel()));
        Assert.DoesNotContain("lm_head.weight", one.Parameters.Keys);
        Assert.All(one.Parameters, parameter => Assert.Equal(0, Difference(parameter.Value, same.Parameters[parameter.Key])));
        Assert.NotEqual(0, Difference(one.Parameters["model.layers.1.mlp.up_proj.weight"], other.Parameters["model.layers.1.mlp.up_proj.weight"]));

        one.Logits(one.Hidden(tensor(new long[] { 3, 1, 4 }).unsqueeze(0))).sum().backward();
        Assert.All(one.Parameters.Values, parameter => Assert.NotNull(parameter.grad));

        using var frozen = one.Copy(trainable: false);
        Assert.All(frozen.Parameters, parameter => Assert.True(!parameter.Value.requires_grad && Difference(parameter.Value, one.Parameters[parameter.Key]) == 0));
    }
}
