namespace DeepSeekR1.Rewards.Tests.Code;

public class FencedCodeTests
{
    private static readonly string[] _python = ["python", "py"];

    [Theory]
    [InlineData("```python\na\n```", "a")]
    [InlineData("```python\na\n```\ntext\n```py\nb\nc\n```", "b\nc")]
    [InlineData("```python\na\n```\n```text\nb\n```", "a")]
    [InlineData("```\na\n```", "a")]
    [InlineData("  ```Python\n  a\n  ```", "  a")]
    [InlineData("```python\na", null)]
    [InlineData("def f(): pass", null)]
    [InlineData("```json\n{}\n```", null)]
    public void The_last_closed_block_of_the_language_counts(string text, string? program) => Assert.Equal(program, FencedCode.Last(text, _python));
}
