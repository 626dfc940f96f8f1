using System.Text.Json;
using DeepSeekR1.Data;
using DeepSeekR1.Runtime;
using DeepSeekR1.Testing;
using DeepSeekR1.Text;
using DeepSeekR1.Training;

namespace DeepSeekR1.Tests.Data;

/// <summary>Pairs and verdicts as TRL reads, splits and tokenises the same rows, with SmolLM2's tokenizer and template.</summary>
public sealed class PreferenceGoldenTests : IDisposable
{
    private static readonly string _model = Path.GetDirectoryName(Reference.Data("..", "models", "smollm2-135m-instruct", "tokenizer.json"))!;

    private static readonly Dictionary<string, JsonElement> _rows = File.ReadLines(Reference.Golden("data", "formats.jsonl")).Select(line => JsonElement.Parse(line))
        .ToDictionary(golden => golden.GetProperty("name").GetString()!);

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> PairRows => [.. _rows.Where(row => row.Value.GetProperty("row").TryGetProperty("chosen", out _)).Select(row => row.Key)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(PairRows))]
    public void A_pair_has_the_prompt_that_TRL_extracts(string name)
    {
        var pair = Assert.Single(Pairs(name));
        var expected = _rows[name].GetProperty("maybe_extract_prompt");
        foreach (var (field, reply) in new[] { ("chosen", pair.Chosen), ("rejected", pair.Rejected) })
            Assert.Equal((Show(expected.GetProperty("prompt")), Show(expected.GetProperty(field))), Show(reply));
    }

    [Theory]
    [MemberData(nameof(PairRows))]
    public void A_pair_goes_through_the_chat_template_where_it_does_in_TRL(string name)
    {
        var pair = Assert.Single(Pairs(name));
        var (expected, template) = (_rows[name].GetProperty("extracted_then_templated"), new SftEncoderGoldenTests.SmolLm2Template());
        foreach (var (field, reply) in new[] { ("chosen", pair.Chosen), ("rejected", pair.Rejected) })
        {
            string prompt = expected.GetProperty("prompt").GetString()!, whole = prompt + expected.GetProperty(field).GetString();
            Assert.Equal((prompt, whole), reply switch
            {
                ChatExample chat => (template.Render(chat.Prompt, addGenerationPrompt: true), template.Render([.. chat.Prompt, .. chat.Completion], addGenerationPrompt: false)),
                TextExample text => (text.Prompt, text.Prompt + text.Completion),
                _ => default,
            });
        }
    }

    /// <summary>TRL's preparation drops pairs; its collator then cuts what is left, to the first or the last tokens.</summary>
    [Fact]
    public void Pairs_are_prepared_for_DPO_as_TRL_prepares_them()
    {
        var encoder = new SftEncoder(HfTokenizer.Load(_model), "<|im_end|>", new SftEncoderGoldenTests.SmolLm2Template());
        int compared = 0, cut = 0;
        foreach (var golden in Prepared("dpo"))
        {
            int limit = Limit(golden);
            var truncation = golden.GetProperty("config").TryGetProperty("truncation_mode", out var mode) && mode.GetString() == "keep_end" ? Truncation.KeepEnd : Truncation.KeepStart;
            var pairs = Pairs(Name(golden)).Select(pair => DpoTrainer.Fit(encoder.Encode(pair.Chosen)!, encoder.Encode(pair.Rejected)!, limit, truncation))
                .OfType<(EncodedExample Chosen, EncodedExample Rejected)>().ToArray();
            var expected = golden.GetProperty("prepared").EnumerateArray().ToArray();
            Assert.Equal(expected.Length, pairs.Length);
            foreach (var (wanted, pair) in expected.Zip(pairs))
                foreach (var (name, encoded) in new[] { ("chosen_ids", pair.Chosen), ("rejected_ids", pair.Rejected) })
                {
                    int[] prompt = Ints(wanted, "prompt_ids"), whole = [.. prompt, .. Ints(wanted, name)];
                    int excess = Math.Max(0, whole.Length - limit);
                    Assert.Equal(truncation == Truncation.KeepEnd ? whole[excess..] : whole[..(whole.Length - excess)], encoded.Ids.ToArray());
                    // TRL shifts the mask of the completion by one: the first token of all is never scored.
                    Assert.Equal(Math.Max(1, prompt.Length - (truncation == Truncation.KeepEnd ? excess : 0)), encoded.PromptLength);
                    compared++;
                    if (excess > 0) cut++;
                }
        }
        Assert.Equal((14, 4), (compared, cut));
    }

    [Fact]
    public void Pairs_are_prepared_for_reward_models_as_TRL_prepares_them()
    {
        using var model = RewardModel.Open(_model, TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Dtype = DtypeChoice.Bfloat16 }), new AddressedRandom(1, RandomPurpose.Weights));
        int kept = 0, dropped = 0;
        foreach (var golden in Prepared("reward"))
        {
            var pair = RewardModelTrainer.Fit(Assert.Single(Pairs(Name(golden))), model, Limit(golden));
            if (golden.GetProperty("prepared").GetArrayLength() == 0)
            {
                Assert.Null(pair);
                dropped++;
                continue;
            }
            var expected = golden.GetProperty("prepared")[0];
            Assert.Equal(Ints(expected, "chosen_ids"), pair!.Chosen.ToArray());
            Assert.Equal(Ints(expected, "rejected_ids"), pair.Rejected.ToArray());
            kept++;
        }
        Assert.Equal((7, 2), (kept, dropped));
    }

    [Fact]
    public void A_pair_is_a_good_reply_and_a_bad_one()
    {
        var golden = JsonElement.Parse(File.ReadAllText(Reference.Golden("data", "unpair.json"))).EnumerateArray().ToArray();
        Assert.Equal(2, golden.Length);
        foreach (var item in golden)
        {
            var verdicts = PreferenceDataset.Verdicts(new DataConfig { Path = _folder.Write("pair.jsonl", JsonSerializer.Serialize(item.GetProperty("row"))) }, seed: 1);
            Assert.Equal(
                item.GetProperty("unpaired").EnumerateArray().Select(row => (Show(row.GetProperty("prompt")), Show(row.GetProperty("completion")), row.GetProperty("label").GetBoolean())),
                verdicts.Select(verdict => (Show(verdict.Reply).Prompt, Show(verdict.Reply).Answer, verdict.IsGood)));
        }
    }

    private PreferenceExample[] Pairs(string name) => PreferenceDataset.Pairs(new DataConfig { Path = _folder.Write("pairs.jsonl", _rows[name].GetProperty("row").GetRawText()) }, seed: 1);

    private static IEnumerable<JsonElement> Prepared(string trainer) =>
        File.ReadLines(Reference.Golden("data", "prepared.jsonl")).Select(line => JsonElement.Parse(line)).Where(golden => golden.GetProperty("trainer").GetString() == trainer);

    private static string Name(JsonElement golden) => golden.GetProperty("rows")[0].GetString()!;

    private static int Limit(JsonElement golden) => golden.GetProperty("config").TryGetProperty("max_length", out var limit) ? limit.GetInt32() : int.MaxValue;

    private static int[] Ints(JsonElement row, string name) => [.. row.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    /// <summary>A text as it is, messages as role and content.</summary>
    private static string Show(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()!
        : Show(value.EnumerateArray().Select(turn => new ChatMessage(turn.GetProperty("role").GetString()!, turn.GetProperty("content").GetString()!)));

    private static (string Prompt, string Answer) Show(SftExample example) =>
        example is ChatExample chat ? (Show(chat.Prompt), Show(chat.Completion)) : (((TextExample)example).Prompt, example.Answer);

    private static string Show(IEnumerable<ChatMessage> turns) => string.Concat(turns.Select(turn => $"[{turn.Role}: {turn.Content}]"));
}
