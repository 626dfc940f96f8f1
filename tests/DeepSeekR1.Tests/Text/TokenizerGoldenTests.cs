using System.Text.Json;
using DeepSeekR1.Testing;
using DeepSeekR1.Text;
using DeepSeekR1.Text.Tokenization;

namespace DeepSeekR1.Tests.Text;

/// <summary>Ids, decoding and streaming equal those of the tokenizers library on every golden row.</summary>
public class TokenizerGoldenTests
{
    public static TheoryData<string> Names => ["smollm2", "qwen3", "llama3_1", "deepseek_v3", "mistral"];

    [Theory, MemberData(nameof(Names))]
    public void Ids_and_texts_are_those_of_the_tokenizers_library(string name)
    {
        var tokenizer = Tokenizers.Golden(name);
        int rows = 0;
        foreach (var row in Tokenizers.Rows("tokenizers", name, "cases.jsonl"))
        {
            string text = row.GetProperty("text").GetString()!;
            int[] ids = Tokenizers.Ids(row.GetProperty("ids")), idsSpecial = Tokenizers.Ids(row.GetProperty("ids_special"));
            Assert.Equal(ids, tokenizer.Encode(text, parseSpecialTokens: true));
            Assert.Equal(idsSpecial, tokenizer.EncodeWithSpecialTokens(text));
            Assert.Equal(row.GetProperty("decoded").GetString(), tokenizer.Decode(ids));
            Assert.Equal(row.GetProperty("decoded_skip_special").GetString(), tokenizer.Decode(idsSpecial, skipSpecialTokens: true));
            rows++;
        }
        Assert.NotEqual(0, rows);
    }

    [Theory, MemberData(nameof(Names))]
    public void Streamed_text_comes_in_whole_characters_at_the_golden_tokens(string name)
    {
        var tokenizer = Tokenizers.Golden(name);
        foreach (var row in Tokenizers.Rows("tokenizers", name, "streaming.jsonl"))
        {
            int[] ids = Tokenizers.Ids(row.GetProperty("ids"));
            var decoder = new IncrementalDecoder(tokenizer);
            string streamed = "";
            for (int i = 0; i < ids.Length; i++)
            {
                string fresh = decoder.Append(ids[i]);
                Assert.Equal(row.GetProperty("chunks")[i].GetString() ?? "", fresh);
                Assert.Equal(row.GetProperty("texts")[i].GetString(), tokenizer.Decode(ids.AsSpan(0, i + 1)));
                streamed += fresh;
            }
            string whole = tokenizer.Decode(ids);
            if (!whole.EndsWith('\uFFFD')) Assert.Equal(whole, streamed);
        }
    }

    [Fact]
    public void Normalizers_and_pre_tokenizers_alone_give_the_golden_pieces()
    {
        var normalizers = new Dictionary<string, Func<string, string>>();
        var preTokenizers = new Dictionary<string, PreTokenizer>();
        var rows = Tokenizers.Rows("tokenizers", "parts.jsonl").ToArray();
        foreach (var row in rows.Where(row => row.GetProperty("kind").GetString() == "definition"))
        {
            var field = new JsonField("parts.jsonl", "", row);
            string name = field.Get("name").String();
            if (field.Find("normalizer") is { } normalizer) normalizers[name] = Normalizer.Parse(normalizer);
            if (field.Find("pre_tokenizer") is { } preTokenizer) preTokenizers[name] = PreTokenizer.Parse(preTokenizer);
        }
        var different = new List<string>();
        foreach (var row in rows)
        {
            string kind = row.GetProperty("kind").GetString()!, name = row.GetProperty("name").GetString()!;
            if (kind == "normalizer")
            {
                string text = row.GetProperty("text").GetString()!, wanted = row.GetProperty("normalized").GetString()!, got = normalizers[name](text);
                if (wanted != got) different.Add($"{name}: '{text}' -> '{got}', expected '{wanted}'");
            }
            else if (kind == "pre_tokenizer")
            {
                string text = row.GetProperty("text").GetString()!;
                string[] wanted = [.. row.GetProperty("pieces").EnumerateArray().Select(piece => piece.GetString()!)];
                string[] got = PiecesOf(preTokenizers[name], text);
                if (!wanted.SequenceEqual(got)) different.Add($"{name}: '{text}' -> {string.Join("|", got)}, expected {string.Join("|", wanted)}");
            }
        }
        Assert.NotEmpty(rows);
        Assert.True(different.Count == 0, $"{different.Count} rows differ:\n{string.Join('\n', different.Take(20))}");
    }

    private static string[] PiecesOf(PreTokenizer preTokenizer, string text)
    {
        var pieces = new PieceList(text, isStartOfInput: true);
        preTokenizer.Apply(pieces);
        var texts = pieces.Pieces.Select(piece => pieces.Text.Substring(piece.Start, piece.Length));
        return [.. preTokenizer.IsByteLevel ? texts.Select(piece => ByteLevelAlphabet.Spell(piece)) : texts];
    }
}

/// <summary>Golden tokenizers and rows.</summary>
internal static class Tokenizers
{
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, Lazy<HfTokenizer>> _loaded = new();

    /// <summary>The tokenizer of a folder of golden/tokenizers, loaded once.</summary>
    public static HfTokenizer Golden(string name) => _loaded.GetOrAdd(Folder(name), folder => new(() => HfTokenizer.Load(folder))).Value;

    /// <summary>The folder with its files; SmolLM2's are with the model.</summary>
    public static string Folder(string name) =>
        name == "smollm2" ? Reference.SmolLm2() : Reference.Golden("tokenizers", name);

    public static IEnumerable<JsonElement> Rows(params string[] path) =>
        File.ReadLines(Reference.Golden(path)).Where(line => line.Length > 0).Select(line => JsonElement.Parse(line));

    public static int[] Ids(JsonElement ids) => [.. ids.EnumerateArray().Select(id => id.GetInt32())];
}
