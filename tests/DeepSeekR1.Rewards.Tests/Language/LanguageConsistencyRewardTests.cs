using static DeepSeekR1.Rewards.Tests.Scoring;

namespace DeepSeekR1.Rewards.Tests;

public class LanguageConsistencyRewardTests
{
    private const string English = "<think> start 7 . march - 2 is 5 . wait 4 . </think> <answer> 5 </answer>";
    private const string Chinese = "<think> 开始 7 . 三月 - 2 是 5 . 等等 4 . </think> <answer> 5 </answer>";
    private const string Mixed = "<think> start 7 . 三月 - 2 是 5 . wait 4 . </think> <answer> 5 </answer>";

    [Theory]
    [InlineData(English, "en", 1.0)]
    [InlineData(English, "zh", 0.0)]
    [InlineData(Chinese, "zh", 1.0)]
    [InlineData(Chinese, "en", 0.0)]
    [InlineData(Mixed, "en", 0.5)]
    [InlineData(Mixed, "zh", 0.5)]
    [InlineData("首先 7 . 三月 - 2 是 5 . 这个 答案 是 5 .", "zh", 1.0)]
    [InlineData("<think> 7 - 2 = 5 </think> <answer> 5 </answer>", "en", 0.0)]
    [InlineData("", "en", 0.0)]
    public async Task Reads_the_embedded_world(string text, string language, double expected) =>
        Assert.Equal(expected, await Of(new LanguageConsistencyReward(), text, Prompt(language: language)));

    [Fact]
    public async Task Auto_detects_the_language_of_the_prompt()
    {
        Assert.Equal(1.0, await Of(new LanguageConsistencyReward(), Chinese, Prompt(text: "汤姆 有 7 . 三月 - 2 . 还有 多少 ?")));
        Assert.Equal(0.0, await Of(new LanguageConsistencyReward(), Chinese, Prompt(text: "tom has 7 . march - 2 . how many now ?")));
        Assert.Null(await Of(new LanguageConsistencyReward(), Chinese, Prompt(text: "7 - 2 = ?")));
    }

    [Theory]
    [InlineData("我们用 `int sum = add(a, b)` 计算。", "zh")]
    [InlineData("代码如下：\n```python\nprint(total)\n```\n结束", "zh")]
    [InlineData(@"设 $x = \frac{1}{2} \cdot \sin(2\alpha)$，则 f(x) 为零", "zh")]
    [InlineData("Kylar 去商店买 16 GB 的内存", "zh")]
    [InlineData("每小时 60 km，参见 https://example.com/a", "zh")]
    public async Task Mathematics_code_names_and_units_do_not_count(string text, string language) =>
        Assert.Equal(1.0, await Of(new LanguageConsistencyReward(), text, Prompt(language: language)));

    [Theory]
    [InlineData("我们算 The Answer Is Five Now 是", "zh")]
    [InlineData("我们算 WE ADD THEM ALL UP 是", "zh")]
    [InlineData(@"我们算 $\text{then we add the first}$", "zh")]
    [InlineData("我们算 The. Answer. Is. Five. We. Add. Them. All. 是", "zh")]
    [InlineData("我们算 ``` then we add the first number to the second", "zh")]
    [InlineData("add https://example.com/然后我们把第一个数字加到第二个数字上得到答案", "en")]
    public async Task Capitals_and_text_in_formulas_hide_nothing(string text, string language) =>
        Assert.True(await Of(new LanguageConsistencyReward(), text, Prompt(language: language)) < 0.6);

    [Theory]
    [InlineData("ja", "まず数を足します。答えは五です。", "The answer is five.")]
    [InlineData("ko", "먼저 숫자를 더합니다.", "首先把数字相加。")]
    [InlineData("ar", "نجمع الأعداد أولا", "we add the numbers")]
    [InlineData("ru", "Сначала сложим числа", "we add the numbers")]
    [InlineData("el", "Προσθέτουμε τους αριθμούς", "we add the numbers")]
    [InlineData("he", "נחבר את המספרים", "we add the numbers")]
    [InlineData("th", "เราบวกตัวเลข", "we add the numbers")]
    [InlineData("hi", "हम संख्याएँ जोड़ते हैं", "we add the numbers")]
    [InlineData("zh-Hant", "首先把數字相加。", "まず数を足します。")]
    public async Task Scripts_are_told_apart(string language, string right, string wrong)
    {
        Assert.Equal(1.0, await Of(new LanguageConsistencyReward { Language = language }, right));
        Assert.Equal(0.0, await Of(new LanguageConsistencyReward { Language = language }, wrong));
    }

    [Fact]
    public void An_unknown_language_is_refused() =>
        Assert.Contains("'xx'", Assert.Throws<ArgumentException>(() => new LanguageConsistencyReward { Language = "xx" }).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("zh", "en")]
    [InlineData("en", "zh")]
    [InlineData("zh", "de")]
    [InlineData("zh", "fr")]
    [InlineData("zh", "es")]
    public async Task Shares_of_spliced_problems_are_right(string language, string other)
    {
        var errors = new List<double>();
        foreach (var splice in Splices.Make(language, other))
            errors.Add(Math.Abs((await Of(new LanguageConsistencyReward(), splice.Text, Prompt(language: language)))!.Value - splice.Share));
        TestContext.Current.TestOutputHelper!.WriteLine($"mean absolute error {errors.Average():F4}");
        Assert.InRange(errors.Average(), 0, 0.03);
    }
}
