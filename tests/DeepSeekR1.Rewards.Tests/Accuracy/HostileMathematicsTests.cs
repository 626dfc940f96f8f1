using System.Diagnostics;
using System.Text;
using DeepSeekR1.Rewards.Mathematics;

namespace DeepSeekR1.Rewards.Tests;

/// <summary>Times are measured here, so nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(HostileMathematicsTests), DisableParallelization = true)]
public static class Alone;

/// <summary>No answer, however long, deep or huge in value, takes long, throws, or passes for another.</summary>
[Collection(nameof(HostileMathematicsTests))]
public class HostileMathematicsTests
{
    private const int Length = 10_000;

    /// <summary>Where reading stops and only equal texts are equal; just below it most work is done.</summary>
    private const int LongestRead = 3_990;

    /// <summary>What the issue of this package allows to one comparison.</summary>
    private static readonly TimeSpan _limit = TimeSpan.FromMilliseconds(50);

    private static readonly string[] _pieces =
    [
        @"\frac", @"\sqrt", "{", "}", "(", ")", "[", "]", "^", "_", "!", "+", "-", "*", "/", "=", "<", ">", ",", ".", "9", "12", "1", "x", "y", "e", "i", @"\pi",
        @"\sin", @"\ln", @"\log", @"\left", @"\right", @"\{", @"\}", @"\cup", @"\pm", @"\mp", "|", "%", @"\%", @"\text{", " ", "$", @"\begin{pmatrix}",
        @"\end{pmatrix}", "&", @"\\", "or", "and", "cm", "apples", ":", "'", "°", "²", "9^9", "5!", @"\binom", @"\infty", @"\in", @"\cdot", "0.", @"\overline{3}",
        "9999", "√", "e9", @"\tan", @"\cosh x", @"\arcsin", @"\mathbf{", @"\vec", "U", "∪", @"\circ", "_{8}", "1A_", @"\choose", "\ud800", "好", "\0", "\t",
    ];

    private static readonly MathEquivalence _math = new();

    public HostileMathematicsTests() => _math.AreEquivalent(@"\sin x", @"\cos\left(\frac{\pi}{2}-x\right)"); // Compiled before it is timed.

    [Theory]
    [InlineData("9^{9^{9^9}}")]
    [InlineData("9^{9^{9^{9^{9^9}}}}")]
    [InlineData("999999999!")]
    [InlineData("((((9!)!)!)!)!")]
    [InlineData(@"\binom{1000000}{500000}")]
    [InlineData("10^{10^{10}}")]
    [InlineData(@"e^{e^{e^{e^{e}}}}")]
    [InlineData(@"\sin(10^{1000})")]
    [InlineData(@"\log(10^{99999})")]
    [InlineData(@"2^{2^{2^{2^{2^{2}}}}} \bmod 7")]
    [InlineData("9e999999")]
    [InlineData(@"0.\overline{142857142857142857}^{99999}")]
    public void Huge_values_are_not_computed(string answer)
    {
        AssertQuick("5", answer);
        AssertQuick(answer, answer + "+1");
        Assert.NotEqual(true, _math.AreEquivalent("5", answer));
        Assert.NotEqual(true, _math.AreEquivalent(answer, answer + "+1"));
    }

    [Theory]
    [InlineData(@"\sin(x)+")]
    [InlineData(@"\sin\cos ")]
    [InlineData("x^{x^{x}}+")]
    [InlineData("5000!+")]
    [InlineData(@"9^{9999}\cdot ")]
    [InlineData(@"\arctan(x)+")]
    [InlineData("x^{99}+")]
    [InlineData(@"(x+1)^{64}\cdot ")]
    [InlineData(@"1\pm ")]
    [InlineData(@"\{1,")]
    [InlineData(@"[1,2]\cup")]
    [InlineData(@"\binom{9999}{5000}+")]
    [InlineData("e^{1000}+")]
    [InlineData("1/7+")]
    [InlineData("1/x+")]
    [InlineData(@"\frac{1}{1+")]
    [InlineData(@"2\frac{2")]
    [InlineData("x=")]
    [InlineData("x<")]
    [InlineData(@"\sin(x),")]
    [InlineData(@"\ln 2,")]
    [InlineData("|x|")]
    [InlineData("(")]
    [InlineData("-")]
    [InlineData("x'")]
    [InlineData("5!")]
    [InlineData("|x-1000|+")]
    [InlineData(@"\sqrt{x-99}+")]
    [InlineData(@"\max(x,9)+")]
    [InlineData(@"\lfloor\frac{x}{9}\rfloor+")]
    [InlineData(@"\binom{x}{41}+")]
    [InlineData("(x-7)^{1/3}+")]
    public void Repetition_takes_bounded_time(string piece)
    {
        foreach (int length in new[] { 60, 600, LongestRead, Length })
        {
            string text = string.Concat(Enumerable.Repeat(piece, length / piece.Length)) + "1";
            AssertQuick("5", text);
            AssertQuick(text, text + " +1");
            AssertQuick(text + "}", "5");
        }
    }

    [Fact]
    public void Random_texts_take_bounded_time()
    {
        var random = new Point(2024, Region.LargeIntegers, 0);
        int draws = 0;
        int Draw(int bound) => (int)(random[$"{draws++}"].Numerator % bound) is var n && n < 0 ? -n : n;
        for (int i = 0; i < 1500; i++)
        {
            var text = new StringBuilder();
            int pieces = new[] { 5, 20, 100, 800 }[Draw(4)];
            for (int k = 0; k < pieces; k++) text.Append(_pieces[Draw(_pieces.Length)]);
            AssertQuick("5", text.ToString());
            AssertQuick(text.ToString(), text + "+0");
        }
    }

    /// <summary>Another process may take the processor away, so the best of five counts.</summary>
    private static void AssertQuick(string gold, string answer)
    {
        var best = TimeSpan.MaxValue;
        for (int attempt = 0; attempt < 5 && best >= _limit; attempt++)
        {
            long start = Stopwatch.GetTimestamp();
            _math.AreEquivalent(gold, answer);
            var took = Stopwatch.GetElapsedTime(start);
            best = took < best ? took : best;
        }
        Assert.True(best < _limit, $"{best.TotalMilliseconds:F0} ms for '{gold[..Math.Min(gold.Length, 80)]}' and '{answer[..Math.Min(answer.Length, 80)]}'");
    }
}
