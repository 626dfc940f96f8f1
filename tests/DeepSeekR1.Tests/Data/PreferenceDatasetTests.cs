using System.Text.Json;
using DeepSeekR1.Data;
using DeepSeekR1.Text;

namespace DeepSeekR1.Tests.Data;

public sealed class PreferenceDatasetTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    [Fact]
    public void Pairs_stay_text_or_messages_as_they_are_written()
    {
        File.WriteAllLines(_file,
        [
            """{"prompt": "why?", "chosen": "because", "rejected": "no", "margin": 0.5}""",
            """{"prompt": [{"role": "user", "content": "why?"}], "chosen": [{"role": "assistant", "content": "because"}], "rejected": [{"role": "assistant", "content": "no"}]}""",
            """{"prompt": [{"role": "user", "content": "why?"}], "chosen": "because", "rejected": "no"}""",
        ]);
        var pairs = PreferenceDataset.Pairs(new DataConfig { Path = _file }, 1);
        Assert.Equal([("because", "no", 0.5), ("because", "no", 0), ("because", "no", 0)], pairs.Select(pair => (pair.Chosen.Answer, pair.Rejected.Answer, pair.Margin)));
        Assert.Equal("why?", Assert.IsType<TextExample>(pairs[0].Chosen).Prompt);
        Assert.All(pairs.Skip(1), pair => Assert.Equal([new ChatMessage("user", "why?")], Assert.IsType<ChatExample>(pair.Rejected).Prompt));
    }

    [Fact]
    public void Verdicts_are_read_as_truth_values_and_as_numbers()
    {
        File.WriteAllLines(_file, ["""{"prompt": "hi", "completion": "go!", "label": false}""", """{"prompt": "hi", "completion": "hello", "label": 1}"""]);
        Assert.Equal([("go!", false), ("hello", true)], PreferenceDataset.Verdicts(new DataConfig { Path = _file }, 1).Select(verdict => (verdict.Reply.Answer, verdict.IsGood)));
    }

    [Theory]
    [InlineData("so it is good", "so it is bad", "so it is", " good", " bad")]
    [InlineData("so", "so it is", "s", "o", "o it is")]
    [InlineData("so i", "so it", "so ", "i", "it")]
    [InlineData("a😀", "a😁", "a", "😀", "😁")]
    public void The_prompt_is_what_both_texts_begin_with(string chosen, string rejected, string prompt, string better, string worse)
    {
        File.WriteAllText(_file, JsonSerializer.Serialize(new { chosen, rejected }));
        var pair = Assert.Single(PreferenceDataset.Pairs(new DataConfig { Path = _file }, 1));
        Assert.Equal((new TextExample(pair.Id, prompt, better), new TextExample(pair.Id, prompt, worse)), (pair.Chosen, pair.Rejected));
    }

    [Theory]
    [InlineData("""{"chosen": "b", "rejected": "c"}""", "line 1: field 'prompt' is missing, and 'chosen' and 'rejected' do not begin alike")]
    [InlineData("""{"prompt": "a", "chosen": "b"}""", "line 1: field 'rejected' is missing")]
    [InlineData("""{"prompt": "a", "chosen": "b", "rejected": "b"}""", "line 1: 'chosen' and 'rejected' are the same")]
    [InlineData("""{"prompt": "a", "chosen": "b", "rejected": "c", "margin": "wide"}""", "line 1: field 'margin' is a text")]
    [InlineData("""{"prompt": "a", "chosen": [{"role": "user", "content": "x"}], "rejected": "c"}""", "line 1: field 'chosen' is not one message of the assistant")]
    public void A_broken_pair_is_named_with_its_line(string row, string message)
    {
        File.WriteAllText(_file, row);
        Assert.Contains(message, Assert.Throws<R1Exception>(() => PreferenceDataset.Pairs(new DataConfig { Path = _file }, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_verdict_that_is_neither_good_nor_bad_is_named()
    {
        File.WriteAllText(_file, """{"prompt": "a", "completion": "b", "label": 0.5}""");
        Assert.Contains("line 1: field 'label' is a number. Expected true (or 1) for good", Assert.Throws<R1Exception>(() => PreferenceDataset.Verdicts(new DataConfig { Path = _file }, 1)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => File.Delete(_file);
}
