using DeepSeekR1.Testing;

namespace DeepSeekR1.Rewards.Tests;

public class PlainEquivalenceTests
{
    private static readonly PlainEquivalence _plain = new();

    [Theory]
    [InlineData("5", "5")]
    [InlineData("5", " 5. ")]
    [InlineData("5", "$5$")]
    [InlineData("5", @"\(5\)")]
    [InlineData("5", "**5**")]
    [InlineData("5", "5.00")]
    [InlineData("5", "+5")]
    [InlineData("5", "５")]
    [InlineData("-5", "−5")]
    [InlineData("-5", "- 5")]
    [InlineData("0.5", "1/2")]
    [InlineData("0.5", ".5")]
    [InlineData(@"\frac{1}{2}", "0.50")]
    [InlineData(@"\dfrac12", "2/4")]
    [InlineData(@"-\frac{1}{2}", @"\frac{-1}{2}")]
    [InlineData("3 1/2", "7/2")]
    [InlineData(@"3\frac{1}{2}", "3.5")]
    [InlineData("1000", "1,000")]
    [InlineData("1000", "1{,}000")]
    [InlineData("1234567.5", "1,234,567.5")]
    [InlineData("70000", "$70,000")]
    [InlineData("70000", @"\$70{,}000")]
    [InlineData("18", "18 eggs")]
    [InlineData("18", "18 US dollars")]
    [InlineData("18", @"18\text{ cm}^2")]
    [InlineData("18 dollars", "$18")]
    [InlineData("5 km", "5 km")]
    [InlineData("3", "3个苹果")]
    [InlineData("18", "18 美元")]
    [InlineData("50%", "50 percent")]
    [InlineData("50%", "0.5")]
    [InlineData("50", @"50\%")]
    [InlineData("1/2", "50%")]
    [InlineData("C", "(c)")]
    [InlineData("C", @"\textbf{C}")]
    [InlineData("New  York", "new york")]
    [InlineData("90", @"90^\circ")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890.0")]
    public void Same(string gold, string answer) => Assert.True(_plain.AreEquivalent(gold, answer));

    [Theory]
    [InlineData("5", "6")]
    [InlineData("5", "")]
    [InlineData("5", "-5")]
    [InlineData("5", "5 5")]
    [InlineData("5", "5 or 6")]
    [InlineData("5", "5x")]
    [InlineData("5", "5 x")]
    [InlineData("5", "5!")]
    [InlineData("5", "5 million")]
    [InlineData("5", "5万")]
    [InlineData("5", "5 pi")]
    [InlineData("5", "about 5")]
    [InlineData("5", "not 5")]
    [InlineData("1000", "1,00")]
    [InlineData("12", "1,2")]
    [InlineData("5 km", "5 m")]
    [InlineData("1/3", "0.3333333")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567891")]
    [InlineData("50%", "5")]
    [InlineData("1/0", "5")]
    [InlineData("A", "B")]
    public void Different(string gold, string answer) => Assert.False(_plain.AreEquivalent(gold, answer));

    [Theory]
    [InlineData("", "5")]
    [InlineData("$ $", "5")]
    [InlineData(@"\sqrt{2}", "1.4142")]
    [InlineData("5", @"\sqrt{25}")]
    [InlineData("25", "5^2")]
    public void Not_judged(string gold, string answer) => Assert.Null(_plain.AreEquivalent(gold, answer));

    [Fact]
    public void Accepts_nothing_false_among_the_golden_pairs()
    {
        foreach (var row in Scoring.Rows(Reference.Golden("answers", "equivalence.jsonl")))
        {
            bool? same = _plain.AreEquivalent(row.GetProperty("gold").GetString()!, row.GetProperty("answer").GetString()!);
            Assert.False(same == true && !row.GetProperty("expected").GetBoolean(), $"accepted {row}");
        }
    }

    [Theory]
    [InlineData("rational")]
    [InlineData("mixed")]
    [InlineData("thousands")]
    [InlineData("percent")]
    [InlineData("choice")]
    public void Judges_plain_kinds_of_the_golden_pairs_rightly(string kind)
    {
        foreach (var row in Scoring.Rows(Reference.Golden("answers", "equivalence.jsonl")).Where(row => row.GetProperty("kind").GetString() == kind))
            Assert.True(
                _plain.AreEquivalent(row.GetProperty("gold").GetString()!, row.GetProperty("answer").GetString()!) == row.GetProperty("expected").GetBoolean(),
                $"wrong on {row}");
    }
}
