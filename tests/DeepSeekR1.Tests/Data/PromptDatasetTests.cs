using System.Text.Json;
using DeepSeekR1.Data;
using DeepSeekR1.Rewards;
using DeepSeekR1.Testing;
using DeepSeekR1.Text;

namespace DeepSeekR1.Tests.Data;

public sealed class PromptDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("gsm8k_train.jsonl", 7473)]
    [InlineData("gsm8k_test.jsonl", 1319)]
    [InlineData("svamp.jsonl", 1000)]
    [InlineData("math500.jsonl", 500)]
    [InlineData("aime24.jsonl", 30)]
    [InlineData("cmath_zh.jsonl", 600)]
    [InlineData("mgsm_zh.tsv", 250)]
    [InlineData("mgsm_de.tsv", 250)]
    public void Real_data_sets_are_recognised_by_their_fields(string file, int count)
    {
        var prompts = PromptDataset.Load(Reference.Data(file));
        Assert.Equal(count, prompts.Length);
        Assert.Equal($"{file}:1", prompts[0].Id);
        Assert.All(prompts, prompt =>
        {
            Assert.False(string.IsNullOrWhiteSpace(prompt.Text));
            Assert.False(string.IsNullOrWhiteSpace(prompt.Answer));
        });
    }

    [Theory]
    [InlineData("gsm8k_train.jsonl", 0, "Natalia sold clips to 48 of her friends", "72")]
    [InlineData("svamp.jsonl", 0, "There are 87 oranges and 290 bananas", "145")]
    [InlineData("math500.jsonl", 0, "If $2^8=4^x$, what is the value of $x$?", "4")]
    [InlineData("aime24.jsonl", 0, "Every morning Aya goes for a $9$-kilometer-long walk", "204")]
    [InlineData("cmath_zh.jsonl", 0, "芳芳买了一本书有99页", "9")]
    [InlineData("mgsm_zh.tsv", 1, "制作一件袍子需要 2 匹蓝色纤维布料", "3")]
    public void Question_and_answer_are_read_from_the_right_fields(string file, int row, string beginning, string answer)
    {
        var prompt = PromptDataset.Load(Reference.Data(file))[row];
        Assert.StartsWith(beginning, prompt.Text);
        Assert.Equal(answer, prompt.Answer);
    }

    [Fact]
    public void Every_final_answer_of_GSM8K_is_a_plain_number() =>
        Assert.All(PromptDataset.Load(Reference.Data("gsm8k_train.jsonl")), prompt => Assert.Matches(@"^-?\d+(\.\d+)?$", prompt.Answer!));

    [Fact]
    public void SVAMP_joins_story_and_question_and_keeps_the_other_fields()
    {
        var prompt = PromptDataset.Load(Reference.Data("svamp.jsonl"))[0];
        Assert.EndsWith("93 groups How big is each group of bananas?", prompt.Text);
        Assert.Equal(["Equation", "ID", "Type", "idx"], prompt.Fields.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("Common-Division", prompt.Fields["Type"].GetString());
    }

    [Fact]
    public void Rows_are_taken_by_remainder_and_the_parts_make_the_whole()
    {
        string path = Reference.Data("svamp.jsonl");
        var test = Load(path, new TakeConfig { Field = "idx", Modulo = 5 });
        var train = Load(path, new TakeConfig { Field = "idx", Modulo = 5, Remainders = [1, 2, 3, 4] });
        Assert.Equal((200, 800), (test.Length, train.Length));
        Assert.All(test, prompt => Assert.Equal(0, prompt.Fields["idx"].GetInt32() % 5));
        Assert.Equal(1000, test.Concat(train).Select(prompt => prompt.Id).Distinct().Count());
    }

    [Fact]
    public void A_shuffled_part_is_decided_by_the_seed()
    {
        string path = _folder.Write("x.jsonl", [.. Enumerable.Range(0, 100).Select(i => $$"""{"question":"q{{i}}","answer":"{{i}}"}""")]);
        var take = new TakeConfig { Shuffle = true, Count = 30 };
        string[] first = [.. Load(path, take, seed: 1).Select(prompt => prompt.Text)];
        Assert.Equal(30, first.Distinct().Count());
        Assert.Equal(first, Load(path, take, seed: 1).Select(prompt => prompt.Text));
        Assert.NotEqual(first, Load(path, take, seed: 2).Select(prompt => prompt.Text));
        Assert.NotEqual(first, Load(path, new TakeConfig { Count = 30 }).Select(prompt => prompt.Text));
        Assert.Equal(first, Load(path, new TakeConfig { Shuffle = true }, seed: 1).Take(30).Select(prompt => prompt.Text));
    }

    [Theory]
    [InlineData("""{"prompt":"q","answer":"42"}""", "42")]
    [InlineData("""{"problem":"q","solution":"so $x$ is \\boxed{3}"}""", "so $x$ is \\boxed{3}")]
    [InlineData("""{"problem":"q","solution":"long","answer":"3"}""", "3")]
    [InlineData("""{"prompt":"q","ground_truth":145.0}""", "145")]
    [InlineData("""{"prompt":"q","answer":-0.50}""", "-0.5")]
    [InlineData("""{"prompt":"q","answer":1e40}""", "1e40")]
    [InlineData("""{"question":"q","answer":"work\n#### 1,080"}""", "1080")]
    public void Answers_become_text(string row, string answer) =>
        Assert.Equal(answer, PromptDataset.Load(_folder.Write("x.jsonl", row)).Single().Answer);

    [Fact]
    public void Fields_can_be_named()
    {
        string path = _folder.Write("x.jsonl", """{"frage":"Wie viel?","loesung":7,"sprache":"de","art":"general","question":"not this"}""");
        var fields = new FieldsConfig { Prompt = "frage", Answer = "loesung", Language = "sprache", Kind = "art" };
        var prompt = PromptDataset.Load(new DataConfig { Path = path, Fields = fields }, 0).Single();
        Assert.Equal(("Wie viel?", "7", "de", "general"), (prompt.Text, prompt.Answer, prompt.Language, prompt.Kind));
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"2+2?"},{"role":"assistant","content":"4"}],"answer":"4"}""")]
    [InlineData("""{"prompt":[{"role":"system","content":"Be brief."},{"role":"user","content":"2+2?"}],"answer":"4"}""")]
    [InlineData("""{"conversations":[{"from":"system","value":"Be brief."},{"from":"human","value":"2+2?"},{"from":"gpt","value":"4"}],"answer":"4"}""")]
    public void A_conversation_is_a_prompt_up_to_the_last_question(string row)
    {
        var prompt = PromptDataset.Load(_folder.Write("x.jsonl", row)).Single();
        Assert.Equal(("2+2?", "4"), (prompt.Text, prompt.Answer));
        Assert.Equal([new("system", "Be brief."), new ChatMessage("user", "2+2?")], PromptDataset.Messages(prompt, new DataConfig { SystemPrompt = "unused" }));
    }

    [Fact]
    public void Template_and_system_prompt_stand_around_the_question()
    {
        var config = new DataConfig { SystemPrompt = "Think.", PromptTemplate = "Solve: {prompt}\nAnswer in tags." };
        var prompt = new Prompt { Id = "x", Text = "1+1?" };
        Assert.Equal([new("system", "Think."), new ChatMessage("user", "Solve: 1+1?\nAnswer in tags.")], PromptDataset.Messages(prompt, config));
    }

    [Theory]
    [InlineData("""{"question":"q"}""", "line 17: field 'answer' holds no reference answer", "allowMissingAnswers")]
    [InlineData("""{"question":"q","answer":null}""", "line 17: field 'answer' holds no reference answer", "fields.answer")]
    [InlineData("""{"question":"q","answer":" "}""", "line 17: field 'answer' holds no reference answer", "fields.answer")]
    [InlineData("""{"question":"q","answer":["1"]}""", "line 17: field 'answer' is a list", "Expected a text or a number")]
    [InlineData("""{"query":"q","answer":"1"}""", "line 17: field 'question' is missing", "'query'")]
    [InlineData("""{"question":" ","answer":"1"}""", "line 17: field 'question' is empty", "drop the row")]
    [InlineData("""{"question":5,"answer":"1"}""", "line 17: field 'question' is a number", "Expected a text")]
    [InlineData("""{"question":[{"role":"user"}],"answer":"1"}""", "line 17: question[0] has no 'content'", "Expected role and content")]
    [InlineData("""{"question":[{"role":"boss","content":"q"}],"answer":"1"}""", "line 17: question[0] has the unknown role 'boss'", "user")]
    [InlineData("""{"question":[{"role":"system","content":"q"}],"answer":"1"}""", "line 17: field 'question' has no turn of the user", "ends with one")]
    public void A_bad_row_17_is_named_with_field_and_remedy(string bad, string problem, string remedy)
    {
        string path = _folder.Write("train.jsonl", [.. Enumerable.Repeat("""{"question":"q","answer":"1"}""", 16), bad]);
        string message = Assert.Throws<R1Exception>(() => PromptDataset.Load(path)).Message;
        Assert.Contains($"train.jsonl, {problem}", message);
        Assert.Contains(remedy, message);
    }

    [Fact]
    public void Missing_answers_can_be_allowed()
    {
        string path = _folder.Write("x.jsonl", """{"prompt":"write a poem"}""");
        Assert.Null(PromptDataset.Load(new DataConfig { Path = path, AllowMissingAnswers = true }, 0).Single().Answer);
        Assert.Contains("no field for the reference answer", Assert.Throws<R1Exception>(() => PromptDataset.Load(path)).Message);
    }

    [Fact]
    public void Empty_files_unknown_shapes_and_empty_parts_are_explained()
    {
        Assert.Contains("empty.jsonl has no rows", Error(new DataConfig { Path = _folder.Write("empty.jsonl", "", " ") }));
        Assert.Contains("no field for the prompt among prompt, problem", Error(new DataConfig { Path = _folder.Write("x.jsonl", """{"a":1}""") }));
        string path = _folder.Write("y.jsonl", """{"question":"q","answer":"1","idx":"7"}""");
        Assert.Contains("none of its 1 rows is taken", Error(new DataConfig { Path = path, Take = new TakeConfig { Modulo = 3, Remainders = [1] } }));
        Assert.Contains("must lie between 0 and 2", Error(new DataConfig { Path = path, Take = new TakeConfig { Modulo = 3, Remainders = [3] } }));
        Assert.Contains("line 1: field 'idx' is no whole number", Error(new DataConfig { Path = path, Take = new TakeConfig { Field = "idx", Modulo = 3 } }));
        Assert.Contains("--data FILE", Error(new DataConfig()));

        static string Error(DataConfig config) => Assert.Throws<R1Exception>(() => PromptDataset.Load(config, 0)).Message;
    }

    [Fact]
    public void Other_fields_survive_as_they_stood()
    {
        string path = _folder.Write("x.jsonl", """{"prompt":"q","answer":"1","tests":["a","b"],"level":3}""");
        var fields = PromptDataset.Load(path).Single().Fields;
        Assert.Equal("""["a","b"]""", fields["tests"].GetRawText());
        Assert.Equal(JsonValueKind.Number, fields["level"].ValueKind);
    }

    private static Prompt[] Load(string path, TakeConfig take, ulong seed = 0) =>
        PromptDataset.Load(new DataConfig { Path = path, Take = take }, seed);
}
