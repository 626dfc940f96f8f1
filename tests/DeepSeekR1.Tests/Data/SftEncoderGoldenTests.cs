using System.Text.Json;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Data;
using DeepSeekR1.Testing;
using DeepSeekR1.Text;
using TorchSharp;

namespace DeepSeekR1.Tests.Data;

/// <summary>The ids and labels that TRL's SFTTrainer prepares from the same rows, with SmolLM2's tokenizer.</summary>
public sealed class SftEncoderGoldenTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Examples_are_prepared_as_TRL_prepares_them()
    {
        var rows = File.ReadLines(Reference.Golden("data", "formats.jsonl")).Select(line => JsonElement.Parse(line))
            .ToDictionary(golden => golden.GetProperty("name").GetString()!, golden => golden.GetProperty("row").GetRawText());
        var tokenizer = HfTokenizer.Load(Path.GetDirectoryName(Reference.Data("..", "models", "smollm2-135m-instruct", "tokenizer.json"))!);
        int compared = 0;
        foreach (string line in File.ReadLines(Reference.Golden("data", "prepared.jsonl")))
        {
            var golden = JsonElement.Parse(line);
            if (golden.GetProperty("trainer").GetString() != "sft") continue;
            var settings = golden.GetProperty("config");
            var encoder = new SftEncoder(tokenizer, "<|im_end|>", new SmolLm2Template(), new SftEncoderConfig
            {
                MaxLength = settings.TryGetProperty("max_length", out var length) ? length.GetInt32() : null,
                Truncation = settings.TryGetProperty("truncation_mode", out var mode) && mode.GetString() == "keep_end" ? Truncation.KeepEnd : Truncation.KeepStart,
            });
            string path = _folder.Write("rows.jsonl", [.. golden.GetProperty("rows").EnumerateArray().Select(name => rows[name.GetString()!])]);
            var encoded = SftDataset.Load(path).Select(encoder.Encode).OfType<EncodedExample>().ToArray();
            var expected = golden.GetProperty("prepared").EnumerateArray().ToArray();
            Assert.Equal(expected.Length, encoded.Length);
            foreach (var (wanted, got) in expected.Zip(encoded))
            {
                Assert.Equal(Ints(wanted, "input_ids"), got.Ids.ToArray());
                Assert.Equal(Ints(wanted, "labels"), got.Ids.ToArray().Select((id, i) => got.IsLearned.Span[i] ? id : -100));
                compared++;
            }
        }
        Assert.InRange(compared, 10, int.MaxValue);
    }

    /// <summary>The micro-batches that TRL's SFTTrainer made of conversations of several turns by a template that marks what the assistant says, and without the marks.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Assistant_tokens_are_those_that_TRL_labels(bool isMarked)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var run = JsonElement.Parse(File.ReadAllText(Reference.Golden("sft", "assistant_only", "run.json")));
        string marked = run.GetProperty("chat_template").GetString()!;
        var template = ChatTemplate.Parse(isMarked ? marked : marked.Replace("{% generation %}", "", StringComparison.Ordinal).Replace("{% endgeneration %}", "", StringComparison.Ordinal));
        var encoder = new SftEncoder(HfTokenizer.Load(Reference.Golden("sft", "models", "qwen2")), "<eos>", template, new SftEncoderConfig { AssistantOnly = true });
        string path = _folder.Write("rows.jsonl", [.. run.GetProperty("rows").EnumerateArray().Select(row => JsonSerializer.Serialize(row))]);
        var encoded = SftDataset.Load(path).Select(encoder.Encode).OfType<EncodedExample>()
            .Select(example => Show(example.Ids.ToArray(), example.Ids.ToArray().Select((id, i) => example.IsLearned.Span[i] ? id : -100))).ToHashSet();

        var batches = SafeTensors.Load(Reference.Golden("sft", "assistant_only", "batches.safetensors"));
        int compared = 0;
        for (int micro = 0; batches.TryGetValue($"micro{micro}.input_ids", out var ids); micro++)
            for (int row = 0; row < ids.shape[0]; row++, compared++)
            {
                int length = (int)batches[$"micro{micro}.attention_mask"][row].sum().item<long>();
                Assert.Contains(Show(Row(ids, row, length), Row(batches[$"micro{micro}.labels"], row, length)), encoded);
            }
        Assert.InRange(compared, 10, int.MaxValue);

        static int[] Row(TorchSharp.torch.Tensor table, int row, int length) => [.. table[row].data<long>().ToArray().Take(length).Select(id => (int)id)];
        static string Show(IEnumerable<int> ids, IEnumerable<int> labels) => $"{string.Join(' ', ids)} | {string.Join(' ', labels)}";
    }

    private static int[] Ints(JsonElement row, string name) => [.. row.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    /// <summary>What SmolLM2's template renders, written out.</summary>
    internal sealed class SmolLm2Template : IChatTemplate
    {
        private const string System = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

        public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) =>
            string.Concat((messages[0].Role == "system" ? messages : messages.Prepend(new ChatMessage("system", System)))
                .Select(message => $"<|im_start|>{message.Role}\n{message.Content}<|im_end|>\n")) + (addGenerationPrompt ? "<|im_start|>assistant\n" : "");
    }
}
