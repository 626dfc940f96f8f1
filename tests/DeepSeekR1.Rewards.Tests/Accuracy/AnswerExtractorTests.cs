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
    [InlineData("from 10-5 to -3/4", "-3/4", AnswerStrategy.LastNumber)]
    [InlineData("10-5", "5", AnswerStrategy.LastNumber)]
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
