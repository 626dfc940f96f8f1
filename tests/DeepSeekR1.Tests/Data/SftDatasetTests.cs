using System.Text.Json;
using DeepSeekR1.Data;
using DeepSeekR1.Testing;
using DeepSeekR1.Text;

namespace DeepSeekR1.Tests.Data;

public sealed class SftDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Worked_solutions_take_the_think_answer_shape()
    {
        var example = WorkedSolutions.Load(new DataConfig { Path = Reference.Data("gsm8k_train.jsonl"), Take = new TakeConfig { Count = 1 } }, 0).Single();
        Assert.StartsWith("Natalia sold clips", Assert.Single(example.Prompt).Content);
        Assert.Equal(
            "<think>\nNatalia sold 48/2 = 24 clips in May.\nNatalia sold 48+24 = 72 clips altogether in April and May.\n</think>\n<answer>\n72\n</answer>",
            Assert.Single(example.Completion).Content);
    }

    [Fact]
    public void No_mark_survives_in_any_worked_solution_of_GSM8K()
    {
        string path = Reference.Data("gsm8k_train.jsonl");
        var examples = WorkedSolutions.Load(new DataConfig { Path = path }, 0);
        var answers = PromptDataset.Load(path).Select(prompt => prompt.Answer);
        Assert.Equal(answers, examples.Select(example => example.Completion[0].Content.Split('\n')[^2]));
        Assert.All(examples, example => Assert.DoesNotMatch(@"<<|>>|####", example.Completion[0].Content));
        Assert.Equal(SftDataset.Load(path).Take(9).Select(e => e.Id), examples.Take(9).Select(e => e.Id));
    }

    [Fact]
    public void A_worked_solution_goes_through_template_and_system_prompt()
    {
        string path = _folder.Write("x.jsonl", """{"question":"q","answer":"1+1=<<1+1=2>>2\n#### 2"}""");
        var example = WorkedSolutions.Load(new DataConfig { Path = path, SystemPrompt = "Think.", PromptTemplate = "Solve {prompt}" }, 0).Single();
        Assert.Equal([new("system", "Think."), new ChatMessage("user", "Solve q")], example.Prompt);
    }

    [Fact]
    public void Examples_of_TRLs_formats_are_read()
    {
        foreach (string line in File.ReadLines(Reference.Golden("data", "formats.jsonl")))
        {
            var golden = JsonElement.Parse(line);
            var row = golden.GetProperty("row");
            if (!IsTrainable(row)) continue;
            var example = SftDataset.Load(_folder.Write("x.jsonl", row.GetRawText())).Single();
            bool isChat = golden.GetProperty("is_conversational").GetBoolean() || golden.GetProperty("is_conversational_from_value").GetBoolean();
            if (example is ChatExample chat)
            {
                Assert.True(isChat);
                Assert.Equal(Turns(golden.GetProperty("maybe_convert_to_chatml")), chat.Prompt.Concat(chat.Completion));
                Assert.Equal(row.TryGetProperty("prompt", out var prompt) ? prompt.GetArrayLength() : 0, chat.Prompt.Count);
            }
            else
            {
                var text = Assert.IsType<TextExample>(example);
                Assert.False(isChat);
                Assert.Equal(Text(row, "prompt") + Text(row, "text") + Text(row, "completion"), text.Prompt + text.Completion);
                Assert.Equal(Text(row, "prompt"), text.Prompt);
            }
        }
    }

    [Theory]
    [InlineData("""{"prompt":"p","completion":""}""", "line 2: field 'completion' is empty")]
    [InlineData("""{"prompt":"p"}""", "line 2: field 'completion' is missing")]
    [InlineData("""{"prompt":[{"role":"user","content":"p"}],"completion":"c"}""", "line 2: field 'completion' is a text. Expected messages")]
    public void Bad_rows_are_named(string bad, string message)
    {
        string path = _folder.Write("sft.jsonl", """{"prompt":"p","completion":"c"}""", bad);
        Assert.Contains($"sft.jsonl, {message}", Assert.Throws<R1Exception>(() => SftDataset.Load(path)).Message);
    }

    [Theory]
    [InlineData("""{"question":"q","answer":"no mark"}""", "not an example of supervised fine-tuning")]
    [InlineData("""{"question":"q","answer":"work ####  "}""", "field 'answer' has no final answer")]
    [InlineData("""{"question":"q","answer":"#### 5"}""", "field 'answer' has no reasoning before '####'")]
    [InlineData("""{"messages":[]}""", "field 'messages' is an empty list")]
    public void Rows_without_anything_to_learn_are_explained(string row, string message) =>
        Assert.Contains($"x.jsonl, line 1: {message}", Assert.Throws<R1Exception>(() => SftDataset.Load(_folder.Write("x.jsonl", row))).Message);

    private static bool IsTrainable(JsonElement row) =>
        row.TryGetProperty("text", out _) || row.TryGetProperty("messages", out _) || row.TryGetProperty("conversations", out _)
        || (row.TryGetProperty("prompt", out _) && row.TryGetProperty("completion", out _));

    private static ChatMessage[] Turns(JsonElement row) =>
        [.. new[] { "messages", "prompt", "completion" }.Where(name => row.TryGetProperty(name, out _))
            .SelectMany(name => row.GetProperty(name).EnumerateArray())
            .Select(turn => new ChatMessage(turn.GetProperty("role").GetString()!, turn.GetProperty("content").GetString()!))];

    private static string Text(JsonElement row, string field) => row.TryGetProperty(field, out var value) ? value.GetString()! : "";
}
