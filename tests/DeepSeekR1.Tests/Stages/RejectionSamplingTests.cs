using DeepSeekR1.Rewards;
using DeepSeekR1.Stages;
using DeepSeekR1.Text;

namespace DeepSeekR1.Tests.Stages;

public class RejectionSamplingTests
{
    private static readonly Prompt _prompt = new() { Id = "sum:1", Text = "1 + 1 ?", Answer = "2", Language = "en" };

    [Fact]
    public async Task Each_sample_is_kept_or_counted_under_the_first_reason_against_it()
    {
        Completion[] samples =
        [
            Sample("<think> one and one </think> <answer> 2 </answer>"),
            Sample("<think> one and one </think> <answer> 2 </answer>"),
            Sample("<think> one and one </think> <answer> 3 </answer>"),
            Sample("so it is 2"),
            Sample("<think> one and one </think> <answer> 2 </answer>") with { IsTruncated = true },
            Sample("<think> two </think> <answer> 2 </answer>"),
            Sample("<think> two again </think> <answer> 2 </answer>"),
        ];
        var sampling = new RejectionSampling(new CurationConfig { Filters = ["accuracy", "format"], KeptPerPrompt = 2 });
        var (rows, report) = await sampling.KeepAsync([new SampledPrompt(_prompt, samples)], prompt => [new ChatMessage("user", prompt.Text)], "model");

        Assert.Equal(["<think> one and one </think> <answer> 2 </answer>", "<think> two </think> <answer> 2 </answer>"], rows.Select(row => row.Completion));
        Assert.Equal([0, 5], rows.Select(row => (int)row.Source["sample"]!));
        Assert.All(rows, row => Assert.Equal(("sum:1", "model"), ((string?)row.Source["prompt_id"], (string?)row.Source["model"])));
        Assert.Equal((7, 2), (report.Sampled, report.Kept));
        Assert.Equal([("truncated", 1), ("accuracy", 1), ("format", 1), ("duplicate", 1), ("over the cap of a prompt", 1)], report.Dropped);
    }

    private static Completion Sample(string text) => new() { Text = text, TokenCount = text.Split(' ').Length };
}
