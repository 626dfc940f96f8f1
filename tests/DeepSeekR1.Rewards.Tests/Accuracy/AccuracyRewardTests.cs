using static DeepSeekR1.Rewards.Tests.Scoring;

namespace DeepSeekR1.Rewards.Tests;

public class AccuracyRewardTests
{
    private static readonly AccuracyReward _lenient = new() { Extractor = new AnswerExtractor { OnlyAfterThinking = false } };

    [Theory]
    [InlineData("<think> start 7 . march - 2 is 5 . april + 4 is 9 . </think> <answer> 9 </answer>", "9", 1.0)]
    [InlineData("<think> start 7 . march - 2 is 5 . april + 4 is 9 . </think> <answer> 8 </answer>", "9", 0.0)]
    [InlineData("<think> 开始 7 . 三月 - 2 是 5 . </think> <answer> 5 </answer>", "5", 1.0)]
    [InlineData("first 7 . march - 2 is 5 . the answer is 5 .", "5", 1.0)]
    [InlineData("first 7 . march - 2 is 5 . the answer is 15 .", "5", 0.0)]
    [InlineData("首先 7 . 三月 - 2 是 5 . 这个 答案 是 5 .", "5", 1.0)]
    [InlineData("首先 7 . 三月 - 2 是 5 . 这个 答案 是 7 .", "5", 0.0)]
    [InlineData("start 7 . march - 2 is 5 . so 5 .", "5", 1.0)]
    [InlineData("<think> start 7 . march - 2 is 5 . </think> <answer> 5 5 </answer>", "5", 0.0)]
    public async Task Reads_the_embedded_world(string text, string gold, double expected) =>
        Assert.Equal(expected, await Of(new AccuracyReward(), text, Prompt(gold)));

    [Theory]
    [InlineData("<think>5</think>", "5", 0.0, 1.0)]
    [InlineData("<think>it is 5", "5", 0.0, 1.0)]
    [InlineData("<think>it is 5</think><answer></answer>", "5", 0.0, 0.0)]
    [InlineData("<think>it is 4</think>5", "5", 1.0, 1.0)]
    [InlineData("<think>it is 5</think>4", "5", 0.0, 0.0)]
    [InlineData("so it is 5", "5", 1.0, 1.0)]
    public async Task Only_text_after_thinking_counts_unless_asked(string text, string gold, double strict, double lenient)
    {
        Assert.Equal(strict, await Of(new AccuracyReward(), text, Prompt(gold)));
        Assert.Equal(lenient, await Of(_lenient, text, Prompt(gold)));
    }

    [Theory]
    [InlineData(@"\boxed{4}, no: \boxed{5}", ManyAnswers.Wrong, 0.0)]
    [InlineData(@"\boxed{4}, no: \boxed{5}", ManyAnswers.Last, 1.0)]
    [InlineData(@"\boxed{4}, no: \boxed{5}", ManyAnswers.First, 0.0)]
    [InlineData(@"\boxed{5.0}, that is \boxed{5}", ManyAnswers.Wrong, 1.0)]
    [InlineData("<answer>4</answer><answer>5</answer>", ManyAnswers.Wrong, 0.0)]
    [InlineData(@"<answer>\boxed{4} or \boxed{5}</answer>", ManyAnswers.Wrong, 0.0)]
    [InlineData("<answer>4 or 5</answer>", ManyAnswers.Last, 0.0)]
    [InlineData(@"try \boxed{4}. The final answer is \boxed{5}.", ManyAnswers.Wrong, 1.0)]
    [InlineData(@"try \boxed{4}. The final answer is 5.", ManyAnswers.Wrong, 1.0)]
    [InlineData(@"The answer is 4. The answer is 5.", ManyAnswers.Wrong, 1.0)]
    public async Task Several_answers(string text, ManyAnswers many, double expected) =>
        Assert.Equal(expected, await Of(new AccuracyReward { ManyAnswers = many }, text, Prompt("5")));

    /// <summary>Whoever takes an answer back, or adds another, has not given one.</summary>
    [Theory]
    [InlineData("The answer is 5, or maybe 6.")]
    [InlineData("The answer is 5, and 6.")]
    [InlineData("The answer is 5. Or 6.")]
    [InlineData("The answer is 5; or 6")]
    [InlineData("The answer is 5\nor 6")]
    [InlineData("The answer is 5! No, 6!")]
    [InlineData("The answer is 5. Alternatively, it is 6.")]
    [InlineData("The answer is 5? 6? 7?")]
    [InlineData("The answer is 5, if x is even, 6 otherwise")]
    [InlineData("The answer is 5, unless it is 6")]
    [InlineData("答案是5，或者6")]
    [InlineData("答案是5。或者是6。")]
    [InlineData("#### 5\nor 6")]
    [InlineData("<answer>The answer is 5. Or 6.</answer>")]
    [InlineData(@"\boxed{5} \fbox{6}")]
    [InlineData(@"\boxed{5; 6}")]
    [InlineData(@"\boxed{5\\6}")]
    [InlineData(@"\boxed{5 \quad 6}")]
    [InlineData(@"\boxed{5 \text{ or } 6}")]
    [InlineData(@"\boxed{5 \text{ (or 6)}}")]
    [InlineData("<answer>6</answer> <answer>5</answer>")]
    [InlineData("<answer>5</answer> </think> <answer>6</answer>")]
    public async Task Second_thoughts_are_wrong(string text) => Assert.Equal(0.0, await Of(new AccuracyReward(), text, Prompt("5")));

    [Theory]
    [InlineData("The answer is 5. Or, in words, five.")]
    [InlineData("The answer is 5, because 2 + 3 is 5.")]
    [InlineData("The answer is 5, and we are done.")]
    [InlineData("The answer is 5. No doubt about it.")]
    [InlineData("The answer is 5. Or 5.0.")]
    [InlineData("The answer is 5. Or 5.000, to be exact.")]
    [InlineData("and that is (5)")]
    [InlineData("so we have 4 + 1 = 5 apples in all.")]
    [InlineData("Since 7 > 2, we get 5!")]
    public async Task What_takes_nothing_back_is_right(string text) => Assert.Equal(1.0, await Of(new AccuracyReward(), text, Prompt("5")));

    [Theory]
    [InlineData("The answer is C, D", 0.0)]
    [InlineData("The answer is C. Or D.", 0.0)]
    [InlineData(@"\boxed{C. D}", 0.0)]
    [InlineData(@"\boxed{C. A. B.}", 0.0)]
    [InlineData(@"\boxed{C: D: A}", 0.0)]
    [InlineData(@"\boxed{C. 12 D. 13}", 0.0)]
    [InlineData(@"\boxed{C. Everything: A, B, C, D}", 0.0)]
    [InlineData(@"\boxed{C. A triangle}", 1.0)]
    [InlineData("The answer is C, I think", 1.0)]
    public async Task Listing_choices_does_not_pay(string text, double expected) => Assert.Equal(expected, await Of(new AccuracyReward(), text, Prompt("C")));

    [Theory]
    [InlineData("the answer is 1", 0.0)]
    [InlineData("so 1", 0.0)]
    [InlineData("#### 1", 0.0)]
    [InlineData("<answer>1", 0.0)]
    [InlineData("<answer>1</answer>", 1.0)]
    [InlineData(@"\boxed{1} and", 1.0)]
    [InlineData("the answer is 1. So", 1.0)]
    public async Task A_completion_that_was_cut_off_has_only_finished_answers(string text, double expected) =>
        Assert.Equal(expected, await Of(new AccuracyReward(), text, Prompt("1"), isTruncated: true));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public async Task Abstains_without_reference(string? gold) => Assert.Null(await Of(new AccuracyReward(), @"\boxed{5}", Prompt(gold)));

    [Fact]
    public async Task Does_algebra() => Assert.Equal(1.0, await Of(new AccuracyReward(), @"\boxed{\sqrt{8}}", Prompt(@"2\sqrt{2}")));

    [Fact]
    public async Task Abstains_where_something_is_left_to_work_out() =>
        Assert.Null(await Of(new AccuracyReward(), @"\boxed{\sum_{k=1}^{9} k}", Prompt("45")));

    [Fact]
    public async Task Many_writings_of_one_answer_are_several_answers() =>
        Assert.Equal(0.0, await Of(new AccuracyReward(), string.Concat(Enumerable.Range(1, 40).Select(i => $@"\boxed{{5+{i}-{i}}} ")) + @"\boxed{5}", Prompt("5")));

    [Theory]
    [InlineData("She sells 9 eggs.\n#### 18", "18")]
    [InlineData(@"Thus $x=\boxed{18}$.", "18")]
    public async Task The_reference_may_be_a_worked_solution(string gold, string answer) =>
        Assert.Equal(1.0, await Of(new AccuracyReward(), $"the answer is {answer}", Prompt(gold)));

    [Fact]
    public async Task Says_why()
    {
        var score = await new AccuracyReward().ScoreAsync(Prompt("14"), Completion(@"\boxed{12}"));
        Assert.Equal("boxed 12, expected 14", score.Reason);
        Assert.Equal("12", score.Details!["answer"]);
    }
}
