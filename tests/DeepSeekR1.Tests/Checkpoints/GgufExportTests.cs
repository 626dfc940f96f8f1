using System.Text.Json.Nodes;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Checkpoints.Gguf;
using DeepSeekR1.Configuration;
using DeepSeekR1.Models;
using DeepSeekR1.Testing;
using DeepSeekR1.Tests.Text;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Checkpoints;

public sealed class GgufExportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, GgufType> Golden =>
        [.. from model in new[] { "llama", "qwen2" } from type in new[] { GgufType.F32, GgufType.F16, GgufType.Q8 } select (model, type)];

    [Theory, MemberData(nameof(Golden))]
    public void Files_equal_the_reference_byte_for_byte_but_for_the_order_of_their_metadata(string model, GgufType type)
    {
        string name = $"{model}-{EnumNames.Name(type)}";
        string path = _folder.File("model.gguf");
        Assert.Empty(GgufExport.Write(Reference.Golden("models", model), path, type));

        byte[] expected = File.ReadAllBytes(Reference.Golden("gguf", name + ".gguf")), actual = File.ReadAllBytes(path);
        Assert.Equal(expected.Length, actual.Length);
        // Magic, version, counts; then metadata in any order; then descriptions and data.
        Assert.Equal(expected[..24], actual[..24]);
        var described = JsonNode.Parse(File.ReadAllText(Reference.Golden("gguf", name + ".json")))!;
        int afterMetadata = IndexOf(expected, "output.weight"u8) - sizeof(ulong);
        Assert.True(expected.AsSpan(afterMetadata).SequenceEqual(actual.AsSpan(afterMetadata)), "descriptions or data differ");
        var metadata = GgufFile.Read(path).Metadata;
        foreach (var (key, value) in described["metadata"]!.AsObject().Where(entry => !entry.Key.StartsWith("GGUF.", StringComparison.Ordinal)))
            if (metadata[key] is float number) Assert.Equal((double)value!, number);
            else Assert.Equal(value!.ToString(), metadata[key].ToString());
    }

    [Theory]
    [InlineData("llama", "llama")]
    [InlineData("llama", "llama-linear-rope-bias")]
    [InlineData("qwen2", "qwen2")]
    [InlineData("qwen3", "qwen3")]
    public void Tensors_have_the_names_of_the_reference(string table, string model)
    {
        var names = JsonNode.Parse(File.ReadAllText(Reference.Golden("gguf", "gguf-names.json")))!["architectures"]![table]!["tensors"]!;
        foreach (var spec in ParameterLayout.Of(HfCheckpoint.LoadConfig(Reference.Golden("models", model))))
            Assert.Equal((string?)names[spec.Name], GgufTensors.NameOf(spec.Name));
    }

    [Theory]
    [InlineData(GgufType.F16, "F16")]
    [InlineData(GgufType.Bf16, "BF16")]
    [InlineData(GgufType.Q8, "Q8_0")]
    public void Numbers_are_stored_as_the_reference_stores_them(GgufType type, string name)
    {
        using var scope = NewDisposeScope();
        var blocks = SafeTensors.Load(Reference.Golden("gguf", "blocks.safetensors"));
        float[] values = [.. blocks["values"].data<float>()];
        var bytes = new byte[GgufEncoding.BytesOf(type, values.Length)];
        GgufEncoding.Encode(type, values, bytes);
        Assert.True(blocks[name + ".bytes"].bytes.SequenceEqual(bytes));
    }

    [Theory]
    [InlineData("smollm2", "gpt2", "smollm", false)]
    [InlineData("qwen3", "gpt2", "qwen2", false)]
    [InlineData("llama3_1", "gpt2", "llama-bpe", true)]
    [InlineData("deepseek_v3", "gpt2", "deepseek-v3", false)]
    [InlineData("mistral", "llama", "default", true)]
    public void A_tokenizer_is_written_with_the_names_llama_cpp_knows_it_by(string name, string model, string preTokenizer, bool addsBos)
    {
        var tokenizer = Tokenizers.Golden(name);
        int size = tokenizer.VocabularySize + 3;
        var metadata = TokenizerMetadata(Tokenizers.Folder(name), size);
        Assert.Equal(model, metadata["tokenizer.ggml.model"]);
        Assert.Equal(preTokenizer, metadata["tokenizer.ggml.pre"]);
        Assert.Equal(addsBos, metadata["tokenizer.ggml.add_bos_token"]);
        var tokens = (object[])metadata["tokenizer.ggml.tokens"];
        Assert.Equal(size, tokens.Length);
        Assert.Equal($"[PAD{size - 1}]", tokens[^1]);
        Assert.Equal((uint)tokenizer.EosId!.Value, metadata["tokenizer.ggml.eos_token_id"]);
        Assert.Equal(3, KindOf(tokenizer.EosId.Value));
        Assert.Equal(5, KindOf(size - 1));
        Assert.All(new[] { "e", "the" }, text => Assert.Equal(1, KindOf(tokenizer.Encode(text)[^1])));

        int KindOf(int id) => (int)((object[])metadata["tokenizer.ggml.token_type"])[id];
    }

    [Fact]
    public void Merges_of_bytes_are_listed_and_the_template_comes_with_the_end_of_its_turns()
    {
        var metadata = TokenizerMetadata(Reference.SmolLm2(), 49152);
        Assert.Equal(["Ġ t", "Ġ a"], ((object[])metadata["tokenizer.ggml.merges"]).Take(2));
        Assert.Equal(2u, metadata["tokenizer.ggml.eot_token_id"]);
        Assert.StartsWith("{% for message in messages %}", (string)metadata["tokenizer.chat_template"], StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_of_a_SentencePiece_tokenizer_fall_in_the_order_of_its_merges()
    {
        string folder = Tokenizers.Folder("mistral");
        var metadata = TokenizerMetadata(folder, 32000);
        var scores = (object[])metadata["tokenizer.ggml.scores"];
        var tokens = ((object[])metadata["tokenizer.ggml.tokens"]).Cast<string>().ToList();
        Assert.Equal(0f, scores[tokens.IndexOf("▁t")]);
        Assert.Equal(-1f, scores[tokens.IndexOf("in")]);
        Assert.Equal(6, ((object[])metadata["tokenizer.ggml.token_type"])[tokens.IndexOf("<0x0A>")]);
        Assert.Equal(2, ((object[])metadata["tokenizer.ggml.token_type"])[0]);
        Assert.Equal(true, metadata["tokenizer.ggml.add_space_prefix"]);
        Assert.False(metadata.ContainsKey("tokenizer.ggml.merges"));
    }

    [Fact]
    public void Llama3_scaling_becomes_a_tensor_of_factors()
    {
        string path = _folder.File("model.gguf");
        GgufExport.Write(Reference.Golden("models", "llama3-rope-tied"), path, GgufType.F32);
        var file = GgufFile.Read(path);
        var factors = file.Tensors.Single(tensor => tensor.Name == "rope_freqs.weight");
        Assert.Equal([HfCheckpoint.LoadConfig(Reference.Golden("models", "llama3-rope-tied")).HeadDim / 2], factors.Shape);
        Assert.DoesNotContain("output.weight", file.Tensors.Select(tensor => tensor.Name));
        Assert.DoesNotContain(file.Metadata.Keys, key => key.Contains("rope.scaling", StringComparison.Ordinal));
    }

    [Fact]
    public void Other_scalings_are_metadata_and_a_head_of_unusual_width_is_told()
    {
        string path = _folder.File("model.gguf");
        GgufExport.Write(Reference.Golden("models", "qwen3-tied-yarn"), path, GgufType.Bf16);
        var metadata = GgufFile.Read(path).Metadata;
        Assert.Equal(("qwen3", "yarn"), (metadata["general.architecture"], metadata["qwen3.rope.scaling.type"]));
        Assert.Equal(32u, metadata["general.file_type"]);

        GgufExport.Write(Reference.Golden("models", "qwen3"), path, GgufType.F32);
        Assert.Equal(32u, GgufFile.Read(path).Metadata["qwen3.attention.key_length"]);

        GgufExport.Write(Reference.Golden("models", "llama-linear-rope-bias"), path, GgufType.F32);
        Assert.Equal("linear", GgufFile.Read(path).Metadata["llama.rope.scaling.type"]);
    }

    [Fact]
    public void Biases_of_query_and_key_are_permuted_as_their_rows()
    {
        string path = _folder.File("model.gguf"), model = Reference.Golden("models", "llama-linear-rope-bias");
        GgufExport.Write(model, path, GgufType.F32);
        using var scope = NewDisposeScope();
        const string bias = "model.layers.0.self_attn.q_proj.bias";
        float[] plain = [.. SafeTensors.Load(Path.Combine(model, "model.safetensors"))[bias].data<float>()];
        int head = HfCheckpoint.LoadConfig(model).HeadDim;
        var expected = Enumerable.Range(0, plain.Length / head).SelectMany(h => Enumerable.Range(0, head / 2).SelectMany(i => new[] { plain[h * head + i], plain[h * head + head / 2 + i] }));
        var entry = GgufFile.Read(path).Tensors.Single(tensor => tensor.Name == "blk.0.attn_q.bias");
        byte[] bytes = File.ReadAllBytes(path);
        var last = GgufFile.Read(path).Tensors[^1];
        long data = bytes.Length - last.Offset - ((last.Elements * sizeof(float) + 31) / 32 * 32);
        Assert.Equal(expected, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes.AsSpan((int)(data + entry.Offset), plain.Length * sizeof(float))).ToArray());
    }

    [Fact]
    public void Weights_in_halves_and_in_shards_are_written_alike()
    {
        string whole = _folder.File("whole.gguf"), sharded = _folder.File("sharded.gguf");
        GgufExport.Write(Reference.Golden("models", "llama"), whole, GgufType.F16);
        GgufExport.Write(Reference.Golden("models", "llama-f16"), sharded, GgufType.F16);
        var (a, b) = (GgufFile.Read(whole), GgufFile.Read(sharded));
        Assert.Equal(a.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal), b.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        GgufExport.Write(Reference.Golden("models", "llama-sharded"), sharded, GgufType.F16);
        Assert.Equal(a.Tensors.Count, GgufFile.Read(sharded).Tensors.Count);
    }

    [Fact]
    public void Biases_that_llama_cpp_does_not_load_are_told() =>
        Assert.Contains("64; this model's are 96 wide", Assert.Single(GgufExport.Write(Reference.Golden("models", "llama-linear-rope-bias"), _folder.File("model.gguf"), GgufType.F32)), StringComparison.Ordinal);

    [Fact]
    public void A_window_that_llama_cpp_does_not_have_is_told() =>
        Assert.Contains("beyond", Assert.Single(GgufExport.Write(Reference.Golden("models", "mistral-sliding"), _folder.File("model.gguf"), GgufType.F32)), StringComparison.Ordinal);

    [Theory]
    [InlineData("qwen3-moe", "Qwen3MoeForCausalLM cannot be written as GGUF")]
    [InlineData("deepseek-v3", "DeepseekV3ForCausalLM cannot be written as GGUF")]
    public void Other_architectures_are_refused(string model, string expected)
    {
        string path = _folder.File("model.gguf");
        Assert.Contains(expected, Assert.Throws<R1Exception>(() => GgufExport.Write(Reference.Golden("models", model), path, GgufType.F32)).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void A_file_of_the_model_is_not_written_over()
    {
        // A copy: were the refusal broken, a reference folder would be overwritten.
        foreach (string name in new[] { "config.json", "model.safetensors" }) File.Copy(Reference.Golden("models", "llama", name), _folder.File(name));
        Assert.Contains("is a file of the model that is read", Assert.Throws<R1Exception>(() => GgufExport.Write(_folder.Path, _folder.File("model.safetensors"), GgufType.F32)).Message, StringComparison.Ordinal);
        for (int time = 0; time < 2; time++) GgufExport.Write(_folder.Path, _folder.File("model.gguf"), GgufType.F32);
    }

    [Fact]
    public void A_file_that_cannot_be_put_in_its_place_leaves_nothing_beside_it()
    {
        string path = _folder.File("model.gguf");
        Directory.CreateDirectory(path);
        Assert.Contains("model.gguf: cannot be written", Assert.Throws<R1Exception>(() => GgufExport.Write(Reference.Golden("models", "llama"), path, GgufType.F32)).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_damaged_header_is_an_error_and_allocates_nothing_of_what_it_claims()
    {
        byte[] bytes = File.ReadAllBytes(Reference.Golden("gguf", "llama-f16.gguf"));
        string path = _folder.File("damaged.gguf");
        foreach (int length in new[] { 3, 20, 40, 400, 1500 })
        {
            File.WriteAllBytes(path, bytes[..length]);
            Assert.Throws<R1Exception>(() => GgufFile.Read(path));
        }
        byte[] wide = [.. bytes];
        // Behind the name stand the number of dimensions and the first of them.
        int name = IndexOf(wide, "output.weight"u8);
        wide.AsSpan(name + "output.weight".Length + 4, 8).Fill(0xFF);
        File.WriteAllBytes(path, wide);
        Assert.Contains("tensor output.weight of shape [384, -1] exceeds", Assert.Throws<R1Exception>(() => GgufFile.Read(path)).Message, StringComparison.Ordinal);
        bytes.AsSpan(8, 8).Fill(0x7F);
        File.WriteAllBytes(path, bytes);
        Assert.Contains("a count of 9187201950435737471 exceeds what the file can hold", Assert.Throws<R1Exception>(() => GgufFile.Read(path)).Message, StringComparison.Ordinal);
    }

    private IReadOnlyDictionary<string, object> TokenizerMetadata(string folder, int vocabularySize)
    {
        string path = _folder.File("tokenizer.gguf");
        using var metadata = new GgufMetadata();
        GgufTokenizer.AddTo(metadata, folder, vocabularySize);
        using (var stream = File.Create(path)) GgufWriter.Write(stream, metadata, []);
        return GgufFile.Read(path).Metadata;
    }

    private static int IndexOf(byte[] bytes, ReadOnlySpan<byte> text) => bytes.AsSpan().IndexOf(text);
}
