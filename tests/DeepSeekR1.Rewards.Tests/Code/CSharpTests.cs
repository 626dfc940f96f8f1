namespace DeepSeekR1.Rewards.Tests.Code;

[Collection(nameof(Box))]
public class CSharpTests
{
    private static readonly SandboxLimits _limits = new() { Time = TimeSpan.FromSeconds(10) };

    // Slow: each case compiles a program or two.
    [Theory, Trait("Category", "Slow")]
    [InlineData("class P { public static int F(int x) => x + 1; }", 1)]
    [InlineData("class P { public static int F(int x) => 2; }", 0.5)]
    [InlineData("class P { public static long F(int x) { System.Console.WriteLine(2); return x + 1; } }", 1)]
    [InlineData("class P { public static int F(int x) { System.Environment.Exit(0); return 0; } }", 0)]
    [InlineData("class P { public static int F(int x) => throw new Exception(); }", 0)]
    [InlineData("class P { public static int F(int x) { while (true) { } } }", 0)]
    [InlineData("class P { public static string F(int x) => System.IO.File.ReadAllText(\"/etc/passwd\"); }", 0)]
    [InlineData("class P { public static int F(int x) { System.Diagnostics.Process.Start(\"/bin/true\"); return x + 1; } }", 0)]
    [InlineData("class P { public static int F(int x) { new System.Net.Sockets.TcpClient(\"127.0.0.1\", 80); return x + 1; } }", 0)]
    [InlineData("class P { public static int F(int x) { var a = new System.Collections.Generic.List<byte[]>(); while (true) a.Add(new byte[1 << 24]); } }", 0)]
    [InlineData("class P {", 0)]
    public async Task Calls_are_compared_by_value(string program, double expected)
    {
        var score = await ScoreAsync(program, new { calls = new[] { new { call = "P.F(1)", expected = "2" }, new { call = "P.F(4)", expected = "2 + 3" } } });
        Assert.Equal(expected, score.Value);
    }

    // Slow: each case compiles a program.
    [Theory, Trait("Category", "Slow")]
    [InlineData("Console.WriteLine(Console.ReadLine()!.Split(' ').Sum(int.Parse));", 1)]
    [InlineData("class P { static void Main() { Console.WriteLine(6); } }", 1)]
    [InlineData("Console.WriteLine(7);", 0)]
    public async Task Whole_runs_are_compared(string program, double expected) =>
        Assert.Equal(expected, (await ScoreAsync(program, new { inputs = new[] { "1 2 3\n" }, outputs = new[] { "6" } })).Value);

    [Fact]
    public async Task Assertions_are_for_Python() => await Assert.ThrowsAsync<SandboxException>(() => ScoreAsync("class P { }", new { test_list = new[] { "assert f()" } }));

    private static async Task<RewardScore> ScoreAsync(string program, object tests)
    {
        await Box.RequireAsync();
        return await new CodeReward(CodeLanguage.CSharp, limits: _limits) { Scoring = CodeScoring.Share }.ScoreAsync(
            Box.Prompt(tests), new Completion { Text = $"```csharp\n{program}\n```" }, TestContext.Current.CancellationToken);
    }
}
