namespace DeepSeekR1.Rewards.Tests;

public class AnswerExtractorTests
{
    [Theory]
    [InlineData(@"so \boxed{\frac{1}{2}} it is", @"\frac{1}{2}", AnswerStrategy.Boxed)]
    [InlineData(@"\fbox{7}", "7", AnswerStrategy.Boxed)]
    [InlineData(@"\boxed{\{1, 2\}}", @"\{1, 2\}", AnswerStrategy.Boxed)]
    [InlineData(@"\boxed{7} and \boxed{8", "7", AnswerStrategy.Boxed)]
    [InlineData("**Answer:** 42\n", "42", AnswerStrategy.Phrase)]
    [InlineData("The answer is: $x = 3$. Done.", "$x = 3$", AnswerStrategy.Phrase)]
    [InlineData("The answer is 3.14, because pi", "3.14", AnswerStrategy.Phrase)]
    [InlineData("所以答案是：42。", "42", AnswerStrategy.Phrase)]
    [InlineData("Die Antwort lautet 42.", "42", AnswerStrategy.Phrase)]
    [InlineData("La respuesta es 42", "42", AnswerStrategy.Phrase)]
    [InlineData("La réponse est 42.", "42", AnswerStrategy.Phrase)]
    [InlineData("9 * 2 = 18\n#### 18", "18", AnswerStrategy.HashMark)]
    [InlineData("it makes $1,234.50 in all.", "$1,234.50", AnswerStrategy.LastNumber)]
    [InlineData("from 10-5 we come to -3/4", "-3/4", AnswerStrategy.LastNumber)]
    [InlineData("**5**", "5", AnswerStrategy.LastNumber)]
    [InlineData("so it is 5 km, no more.", "5", AnswerStrategy.LastNumber)]
    [InlineData("3 + 2 => 5", "5", AnswerStrategy.LastNumber)]
    [InlineData("f(2) = (5)", "5", AnswerStrategy.LastNumber)]
    [InlineData(@"which makes \(5\)", "5", AnswerStrategy.LastNumber)]
    [InlineData("一共等于5个", "5", AnswerStrategy.LastNumber)]
    [InlineData("(there are 4, and the sum is 5)", "5", AnswerStrategy.LastNumber)]
    [InlineData("Step 2: 5", "5", AnswerStrategy.LastNumber)]
    [InlineData("<answer>The answer is 5.</answer>", "5", AnswerStrategy.AnswerTag)]
    [InlineData("<answer> stray <answer> 5 </answer>", "5", AnswerStrategy.AnswerTag)]
    [InlineData("<answer>I do not know</answer>", "I do not know", AnswerStrategy.AnswerTag)]
    public void Finds_the_final_answer(string text, string answer, AnswerStrategy strategy)
    {
        var found = new AnswerExtractor().Extract(text);
        Assert.NotNull(found);
        Assert.Equal((answer, strategy), (found.Text, found.Strategy));
    }

    [Theory]
    [InlineData("")]
    [InlineData("I do not know")]
    [InlineData("<answer>  </answer>")]
    [InlineData(@"\boxed{}")]
    [InlineData(@"\boxed{7")]
    [InlineData("<think>5</think>")]
    public void Finds_none(string text) => Assert.Null(new AnswerExtractor().Extract(text));

    /// <summary>A number that is a part of something else is no answer by itself.</summary>
    [Theory]
    [InlineData("10-5")]
    [InlineData("10 - 5")]
    [InlineData("it is 4 + 5")]
    [InlineData("it is 4*5")]
    [InlineData("it is 2^5")]
    [InlineData("it is 10^{5}")]
    [InlineData(@"it is \sqrt5")]
    [InlineData(@"it is \sqrt{5}")]
    [InlineData(@"it is \frac{1}{5}")]
    [InlineData(@"it is 5\pi")]
    [InlineData("it is 5x")]
    [InlineData("it is 5²")]
    [InlineData("it is x_5")]
    [InlineData("it is f(5)")]
    [InlineData("it is (4, 5)")]
    [InlineData("it is {4, 5}")]
    [InlineData("it is 4, 5")]
    [InlineData("it is 4 5")]
    [InlineData("it is 4 or 5")]
    [InlineData("it is between 4 and 5")]
    [InlineData("it is x > 5")]
    [InlineData("it is ±5")]
    [InlineData(@"it is x \ge 5")]
    [InlineData("it is 12:05")]
    [InlineData("it is 4.5.5")]
    [InlineData("it is 5 million")]
    [InlineData("it is 5万")]
    [InlineData("it is 5 tenths")]
    [InlineData("it is not 5")]
    [InlineData("it isn't 5")]
    [InlineData("it is at least 5")]
    [InlineData("it is about 5")]
    [InlineData("答案不是5")]
    [InlineData("5 is wrong")]
    [InlineData("is it 5?")]
    [InlineData("5...")]
    public void A_part_of_something_is_no_last_number(string text) => Assert.Null(new AnswerExtractor().Extract(text));

    [Fact]
    public void Strategies_are_tried_in_the_given_order()
    {
        var extractor = new AnswerExtractor { Strategies = [AnswerStrategy.HashMark, AnswerStrategy.Boxed] };
        Assert.Equal("1", extractor.Extract("\\boxed{2}\n#### 1")!.Text);
        Assert.Null(extractor.Extract("the answer is 3"));
    }

    [Fact]
    public void Thinking_can_be_required() => Assert.Null(new AnswerExtractor { RequireThinking = true }.Extract(@"\boxed{4}"));
}
