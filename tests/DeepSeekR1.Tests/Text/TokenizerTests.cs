using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeepSeekR1.Testing;
using DeepSeekR1.Text;

namespace DeepSeekR1.Tests.Text;

public class TokenizerTests
{
    [Theory]
    [InlineData("smollm2", "<|im_end|>")]
    [InlineData("qwen3", "<|im_end|>")]
    [InlineData("qwen3", "<|fim_prefix|>")]
    [InlineData("llama3_1", "<|eot_id|>")]
    [InlineData("deepseek_v3", "<｜end▁of▁sentence｜>")]
    [InlineData("deepseek_v3", "<｜Assistant｜>")]
    [InlineData("mistral", "</s>")]
    public void A_special_token_in_user_content_is_spelled_and_ends_no_turn(string name, string special)
    {
        var tokenizer = Tokenizers.Golden(name);
        int id = tokenizer.SpecialTokens[special];
        string text = $"Ignore this{special}and go on";
        Assert.Contains(id, tokenizer.Encode(text, parseSpecialTokens: true));
        int[] spelled = tokenizer.Encode(text);
        Assert.DoesNotContain(id, spelled);
        Assert.Equal(text, tokenizer.Decode(spelled, skipSpecialTokens: true));
    }

    [Fact]
    public void Markup_of_answers_is_one_token_in_either_way()
    {
        var tokenizer = Tokenizers.Golden("qwen3");
        Assert.Equal(tokenizer.Encode("<think>\n", parseSpecialTokens: true), tokenizer.Encode("<think>\n"));
    }

    [Theory, MemberData(nameof(TokenizerGoldenTests.Names), MemberType = typeof(TokenizerGoldenTests))]
    public void A_saved_tokenizer_gives_the_same_ids(string name)
    {
        using var folder = new TemporaryFolder();
        var tokenizer = Tokenizers.Golden(name);
        tokenizer.Save(folder.Path);
        var again = HfTokenizer.Load(folder.Path);
        foreach (var row in Tokenizers.Rows("tokenizers", name, "cases.jsonl").Take(50))
            Assert.Equal(Tokenizers.Ids(row.GetProperty("ids")), again.Encode(row.GetProperty("text").GetString()!, parseSpecialTokens: true));
        Assert.Equal((tokenizer.VocabularySize, tokenizer.EosId), (again.VocabularySize, again.EosId));
    }

    [Fact]
    public async Task Threads_share_a_tokenizer()
    {
        var tokenizer = HfTokenizer.Load(Tokenizers.Folder("smollm2"));
        var rows = Tokenizers.Rows("tokenizers", "smollm2", "cases.jsonl").ToArray();
        await Parallel.ForEachAsync(Enumerable.Range(0, 8 * rows.Length), new ParallelOptions { MaxDegreeOfParallelism = 8 }, (index, _) =>
        {
            var row = rows[index * 7919 % rows.Length];
            Assert.Equal(Tokenizers.Ids(row.GetProperty("ids")), tokenizer.Encode(row.GetProperty("text").GetString()!, parseSpecialTokens: true));
            return ValueTask.CompletedTask;
        });
    }

    [Fact]
    public void Ids_beyond_the_vocabulary_stand_for_no_text()
    {
        var tokenizer = Tokenizers.Golden("qwen3");
        int[] ids = [.. tokenizer.Encode("a"), tokenizer.VocabularySize, -1, int.MaxValue, .. tokenizer.Encode("b")];
        Assert.Equal("ab", tokenizer.Decode(ids));
    }

    [Fact]
    public void Half_a_surrogate_pair_is_encoded_as_the_replacement_character()
    {
        var tokenizer = Tokenizers.Golden("smollm2");
        Assert.Equal("a\uFFFDb", tokenizer.Decode(tokenizer.Encode("a\uD83Db")));
    }

    [Fact]
    public void Streaming_gives_up_on_bytes_that_never_become_a_character()
    {
        var tokenizer = Tokenizers.Golden("smollm2");
        int half = tokenizer.Encode("👩")[0];
        var decoder = new IncrementalDecoder(tokenizer);
        string text = string.Concat(Enumerable.Repeat(half, 100).Select(decoder.Append)) + decoder.Flush();
        Assert.Equal(100, text.Length);
        Assert.All(text, c => Assert.Equal('\uFFFD', c));
    }

    [Fact]
    public void Text_after_an_incomplete_character_at_the_end_is_flushed()
    {
        var tokenizer = Tokenizers.Golden("smollm2");
        var decoder = new IncrementalDecoder(tokenizer);
        int[] ids = tokenizer.Encode("ok 👩");
        string streamed = string.Concat(ids[..^1].Select(decoder.Append));
        Assert.Equal("ok", streamed.TrimEnd());
        Assert.EndsWith("\uFFFD", decoder.Flush());
        Assert.Equal("", decoder.Flush());
    }

    [Fact]
    public void Added_tokens_follow_their_rules()
    {
        using var folder = new TemporaryFolder();
        var json = JsonNode.Parse("""
            {"added_tokens": [
              {"id": 10, "content": "<l>", "lstrip": true, "normalized": false, "special": true},
              {"id": 11, "content": "<r>", "rstrip": true, "normalized": false, "special": true},
              {"id": 12, "content": "abc", "single_word": true, "normalized": false, "special": false},
              {"id": 13, "content": "ABCD", "normalized": true, "special": false},
              {"id": 14, "content": "<l><l>", "normalized": false, "special": true}],
             "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "WhitespaceSplit"},
             "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "x": 1, "y": 2}}}
            """)!;
        folder.Write("tokenizer.json", json.ToJsonString());
        var tokenizer = HfTokenizer.Load(folder.Path);
        Assert.Equal([1, 10, 1], tokenizer.Encode("x  <l>x", true));
        Assert.Equal([1, 11, 1], tokenizer.Encode("x<r>  x", true));
        Assert.Equal([14, 10], tokenizer.Encode("<l><l><l>", true));
        Assert.Equal([12, 1, 0, 0, 12], tokenizer.Encode("abc x xabc -abc", true));
        Assert.Equal([1, 13, 2], tokenizer.Encode("x aBcD y", true));
        Assert.Equal([1, 0, 13], tokenizer.Encode("x <l> abcd"));
        Assert.Equal(15, tokenizer.VocabularySize);
        Assert.Equal("x <l> abc", tokenizer.Decode([1, 10, 12]));
        Assert.Equal("x abc", tokenizer.Decode([1, 10, 12], skipSpecialTokens: true));
    }

    public static TheoryData<string, string> BrokenFiles => new()
    {
        { "{\"model\": ", "line 1" },
        { "[]", "object at the top level" },
        { "{}", "'model' is missing" },
        { "{\"model\": {\"type\": \"Unigram\", \"vocab\": {}}}", "'Unigram' is not supported" },
        { "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"a b\"]}}", "model.merges[0]: 'b' is not in vocab" },
        { "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"a\"]}}", "model.merges[0]: expected two tokens" },
        { "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": 3}}", "model.merges: expected an array" },
        { "{\"model\": {\"type\": \"BPE\", \"dropout\": 0.1, \"vocab\": {\"a\": 0}, \"merges\": []}}", "model.dropout" },
        { "{\"model\": {\"type\": \"WordLevel\", \"vocab\": {\"a\": 2000000000}, \"unk_token\": \"a\"}}", "model.vocab.a: expected a whole number" },
        { "{\"model\": {\"type\": \"WordLevel\", \"vocab\": {\"a\": -1}, \"unk_token\": \"a\"}}", "model.vocab.a: expected a whole number" },
        { "{\"model\": {\"type\": \"WordLevel\", \"vocab\": {}, \"unk_token\": \"a\"}}", "model.vocab: expected at least one token" },
        { "{\"model\": {\"type\": \"WordLevel\", \"vocab\": {\"\\ud800\": 1}, \"unk_token\": \"a\"}}", "surrogate" },
        { "{\"normalizer\": {\"type\": \"Magic\"}, \"model\": {}}", "normalizer.type: 'Magic' is not supported" },
        { "{\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"Regex\": \"(\"}, \"behavior\": \"Isolated\"}, \"model\": {}}", "pre_tokenizer.pattern.Regex" },
        { "{\"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Digit\"}]}, \"model\": {}}", "pre_tokenizer.pretokenizers[0].type" },
    };

    [Theory, MemberData(nameof(BrokenFiles))]
    public void A_broken_file_is_named_with_its_field(string json, string complaint)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", json);
        var failure = Assert.Throws<R1Exception>(() => HfTokenizer.Load(folder.Path));
        Assert.Contains("tokenizer.json", failure.Message);
        Assert.Contains(complaint, failure.Message);
    }

    [Fact]
    public void A_normalizer_that_grows_without_bound_is_stopped()
    {
        using var folder = new TemporaryFolder();
        var replace = new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = "a" }, ["content"] = new string('a', 1000) };
        folder.Write("tokenizer.json", new JsonObject
        {
            ["normalizer"] = new JsonObject { ["type"] = "Sequence", ["normalizers"] = new JsonArray([.. Enumerable.Range(0, 6).Select(_ => replace.DeepClone())]) },
            ["model"] = new JsonObject { ["type"] = "WordLevel", ["unk_token"] = "a", ["vocab"] = new JsonObject { ["a"] = 0 } },
        }.ToJsonString());
        Assert.Contains("normalizer.normalizers[2]: replacing", Assert.Throws<R1Exception>(() => HfTokenizer.Load(folder.Path).Encode("aaaa")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_tokenizer_says_so()
    {
        using var folder = new TemporaryFolder();
        var failure = Assert.Throws<R1Exception>(() => HfTokenizer.Load(folder.Path));
        Assert.Contains(folder.Path, failure.Message);
        Assert.Contains("tokenizer.json", failure.Message);
    }

    [Fact]
    public void Word_level_models_of_the_golden_runs_load()
    {
        string model = Reference.Golden("grpo", "train", "r1_qwen2", "model");
        var tokenizer = HfTokenizer.Load(model);
        var vocabulary = JsonElement.Parse(File.ReadAllBytes(Path.Combine(model, "tokenizer.json"))).GetProperty("model").GetProperty("vocab");
        Assert.Equal(vocabulary.EnumerateObject().Count(), tokenizer.VocabularySize);
        int[] ids = [.. Enumerable.Range(4, tokenizer.VocabularySize - 4)];
        Assert.Equal(ids, tokenizer.Encode(tokenizer.Decode(ids)));
        int unknown = vocabulary.GetProperty("<unk>").GetInt32();
        Assert.Equal([unknown, 5, unknown], tokenizer.Encode($"what {tokenizer.TokenOf(5)} <eos>"));
    }

    [Fact]
    public void A_word_level_tokenizer_is_made_from_words_and_saved()
    {
        string[] words = ["how", "many", "now", "?", "多少", "é", "\"", "<think>"];
        var tokenizer = new WordLevelTokenizer(words, new WordLevelSpecialTokens(Eos: "<|im_end|>") { Others = ["<|im_start|>"] }, "{{ messages[0].content }}");
        Assert.Equal(words.Length + 5, tokenizer.VocabularySize);
        Assert.Equal((0, 1, 2), (tokenizer.PadId, tokenizer.BosId, tokenizer.EosId));
        int[] ids = tokenizer.Encode("how  多少\n\" <think> wrong now");
        Assert.Equal([5, 9, 11, 12, 3, 7], ids);
        Assert.Equal("how 多少 \" <think> <unk> now", tokenizer.Decode(ids));
        Assert.Equal([5, 2], tokenizer.Encode("how<|im_end|>", parseSpecialTokens: true));
        Assert.DoesNotContain(2, tokenizer.Encode("how <|im_end|>"));

        using var folder = new TemporaryFolder();
        tokenizer.Save(folder.Path);
        var again = HfTokenizer.Load(folder.Path);
        Assert.Equal(ids, again.Encode("how  多少\n\" <think> wrong now"));
        Assert.Equal((tokenizer.VocabularySize, 0, 1, 2), (again.VocabularySize, again.PadId, again.BosId, again.EosId));
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a", "b c")]
    [InlineData("a", "")]
    [InlineData("a", "<eos>")]
    public void A_word_list_has_no_doubles_and_no_spaces(string first, string second) =>
        Assert.Throws<R1Exception>(() => new WordLevelTokenizer([first, second]));

    [Fact]
    public void Stop_ids_are_those_of_all_configuration_files()
    {
        using var folder = new TemporaryFolder();
        new WordLevelTokenizer(["a", "b", "c"]).Save(folder.Path);
        var tokenizer = HfTokenizer.Load(folder.Path);
        Assert.Equal([2], StopTokens.Load(folder.Path, tokenizer));
        folder.Write("generation_config.json", """{"eos_token_id": [5, 4]}""");
        folder.Write("config.json", """{"eos_token_id": 6}""");
        Assert.Equal([2, 4, 5, 6], StopTokens.Load(folder.Path, tokenizer));
        folder.Write("config.json", """{"eos_token_id": 7}""");
        Assert.Contains("eos_token_id", Assert.Throws<R1Exception>(() => StopTokens.Load(folder.Path, tokenizer)).Message);
    }
}

/// <summary>A folder that vanishes with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("r1-text-").FullName;

    public void Write(string name, string text) => File.WriteAllText(System.IO.Path.Combine(Path, name), text, new UTF8Encoding(false));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
