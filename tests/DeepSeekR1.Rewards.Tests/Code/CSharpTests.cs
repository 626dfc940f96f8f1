namespace DeepSeekR1.Rewards.Tests.Code;

[Collection(nameof(Box)), Trait("Category", "Sandbox")]
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

    // Slow: compiles programs.
    [Theory, Trait("Category", "Slow")]
    [InlineData("class Problem { public static List<int> Twice(List<int> a) => a.Select(x => 2 * x).ToList(); public static string Say(string s) => s + \"!\"; }", 1)]
    [InlineData("class Problem { public static List<int> Twice(List<int> a) => a; public static string Say(string s) => s + \"!\"; }", 1.0 / 3)]
    [InlineData("class Problem { public static Anything Twice(List<int> a) => new(); public static Anything Say(string s) => new(); } class Anything { public override bool Equals(object o) => true; public override int GetHashCode() => 0; public static bool operator ==(Anything a, object b) => true; public static bool operator !=(Anything a, object b) => false; }", 0)]
    public async Task Assertions_are_compared_by_value(string program, double expected)
    {
        string[] tests = ["Debug.Assert(Twice(new List<int> { 1, 2 }).SequenceEqual(new List<int> { 2, 4 }));", "Debug.Assert((Twice(new List<int> { 3 })).Equals((new List<int> { 6 })));", "Debug.Assert(Say(\"a == b\") == (\"a == b!\"));"];
        var score = await ScoreAsync(program, new { test_list = tests, test_imports = new[] { "using static Problem;" } });
        Assert.Equal(expected, score.Value!.Value, 1e-12);
    }

    [Theory]
    [InlineData("assert f()")]
    [InlineData("Debug.Assert(F(1));")]
    [InlineData("Debug.Assert(F(1) == 2 || true);")]
    [InlineData("Debug.Assert(F(1) != 2);")]
    [InlineData("Debug.Assert(F(1) == G(1) == true);")]
    [InlineData("Debug.Assert(F(1) == 2, \"message\");")]
    [InlineData("Debug.Assert( == 2);")]
    [InlineData("Debug.Assert(F(\"1) == 2);")]
    public void What_is_no_assertion_of_equality_is_told(string assertion) =>
        Assert.Contains("Debug.Assert(CALL == VALUE)", Assert.Throws<SandboxException>(() => CSharpAssertion.Parse(assertion)).Message, StringComparison.Ordinal);

    private static async Task<RewardScore> ScoreAsync(string program, object tests)
    {
        await Box.RequireAsync();
        return await new CodeReward(CodeLanguage.CSharp, limits: _limits) { Scoring = CodeScoring.Share }.ScoreAsync(
            Box.Prompt(tests), new Completion { Text = $"```csharp\n{program}\n```" }, TestContext.Current.CancellationToken);
    }
}
