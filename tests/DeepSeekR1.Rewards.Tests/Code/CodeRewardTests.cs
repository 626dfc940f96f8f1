using System.IO.Compression;
using System.Text.Json;
using DeepSeekR1.Testing;

namespace DeepSeekR1.Rewards.Tests.Code;

[Collection(nameof(Box)), Trait("Category", "Sandbox")]
public class CodeRewardTests
{
    [Theory]
    [InlineData("def f(x): return x + 1", 1)]
    [InlineData("def f(x): return x + 2", 0)]
    [InlineData("def f(x): return str(x + 1)", 0)]
    [InlineData("def g(x): return x + 1", 0)]
    [InlineData("def f(x: return x", 0)]
    [InlineData("raise ValueError('no')", 0)]
    public async Task A_program_is_right_where_its_values_are(string program, double expected) =>
        Assert.Equal(expected, (await Box.ScoreAsync(program, new { test_list = new[] { "assert f(1) == 2", "assert f(-1) == 0" } })).Value);

    [Fact]
    public async Task Shares_count_each_test()
    {
        var score = await Box.ScoreAsync("def f(x): return 2", new { test_list = new[] { "assert f(1) == 2", "assert f(3) == 4", "assert f(0) == 2", "assert f(9) == 1" } }, scoring: CodeScoring.Share);
        Assert.Equal(0.5, score.Value);
        Assert.StartsWith("2 of 4 tests passed; assertion failed", score.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Function_calls_compare_values() =>
        Assert.Equal(1, (await Box.ScoreAsync("def f(a, b=2): return {a: [b, (1.5, None)]}", new { calls = new[] { new { call = "f('x', b=3)", expected = "{'x': [3, (1.5, None)]}" } } })).Value);

    [Fact]
    public async Task Values_of_every_plain_kind_come_out_as_they_were()
    {
        const string Program = "def f(): return [None, True, -3, 10**30, 0.1, float('inf'), 1+2j, 'h\u00e9\\ud800', b'\\x00\\xff', (1,), {1, 2}, frozenset([3]), {'k': [{}]}]";
        const string Test = "assert f() == [None, True, -3, 10**30, 0.1, float('inf'), 1+2j, 'h\u00e9\\ud800', b'\\x00\\xff', (1,), {1, 2}, frozenset([3]), {'k': [{}]}]";
        Assert.Equal(1, (await Box.ScoreAsync(Program, new { test_list = new[] { Test, "assert type(f()[10]) is set" } })).Value);
    }

    [Fact]
    public async Task Tests_may_expect_an_exception()
    {
        const string Test = "try:\n  f(0)\n  assert False, 'no error'\nexcept ZeroDivisionError:\n  pass";
        Assert.Equal(1, (await Box.ScoreAsync("def f(x): return 1 / x", new { test_list = new[] { Test } })).Value);
        Assert.Equal(0, (await Box.ScoreAsync("def f(x): return 0", new { test_list = new[] { Test } })).Value);
    }

    [Theory]
    [InlineData("print(sum(map(int, input().split())))", 1)]
    [InlineData("print(sum(map(int, input().split())), '  ')", 1)]
    [InlineData("print(6); print(6)", 0)]
    [InlineData("print()\nprint(sum(map(int, input().split())))", 0)]
    [InlineData("print(6); raise SystemExit(1)", 0)]
    [InlineData("pass", 0)]
    public async Task Whole_runs_are_compared_line_by_line(string program, double expected) =>
        Assert.Equal(expected, (await Box.ScoreAsync(program, new { inputs = new[] { "1 2 3\n", "6\n" }, outputs = new[] { "6\n", "6" } })).Value);

    [Fact]
    public async Task A_row_without_tests_is_not_judged_and_no_program_is_wrong()
    {
        var reward = new CodeReward();
        Assert.Null((await reward.ScoreAsync(Box.Prompt(new { }), Box.Python("x"), TestContext.Current.CancellationToken)).Value);
        Assert.Equal(0, (await reward.ScoreAsync(Box.Prompt(new { test_list = new[] { "assert f()" } }), new Completion { Text = "def f(): return 1" }, TestContext.Current.CancellationToken)).Value);
    }

    [Fact]
    public async Task Tests_that_do_not_load_are_a_failure_and_not_a_verdict()
    {
        await Box.RequireAsync();
        var failure = await Assert.ThrowsAsync<SandboxException>(async () => await Box.ScoreAsync("def f(): return 1", new { test_imports = new[] { "import no_such_module" }, test_list = new[] { "assert f()" } }));
        Assert.Contains("the tests do not load: ModuleNotFoundError", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/bin/sh: 1: exec: bwrap: not found", "install the package 'bubblewrap'")]
    [InlineData("/bin/sh: line 1: exec: bwrap: not found", "install the package 'bubblewrap'")]
    [InlineData("setpriv: failed to execute bwrap: No such file or directory", "install the package 'bubblewrap'")]
    [InlineData("/bin/sh: 1: exec: setpriv: not found", "install the package 'util-linux'")]
    [InlineData("bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces.", "Allow unprivileged user namespaces")]
    [InlineData("bwrap: setting up uid map: Permission denied", "Allow unprivileged user namespaces")]
    public void What_the_sandbox_lacks_is_named(string complaint, string advice) => Assert.Contains(advice, Sandbox.Refused(complaint).Message, StringComparison.Ordinal);

    [Fact]
    public void A_config_names_the_reward_and_asks_for_weaker_walls_by_name()
    {
        Assert.IsType<CodeReward>(RewardRegistry.Default.Create("code:scoring=share,seconds=2,sandbox=limits-only").Reward);
        Assert.Throws<FormatException>(() => RewardRegistry.Default.Create("code:sandbox=none"));
    }

    // Slow: 164 programs in two boxes each.
    [Fact, Trait("Category", "Slow")]
    public async Task Every_canonical_solution_of_HumanEval_passes_and_none_passes_anothers_tests()
    {
        await Box.RequireAsync();
        using var file = new GZipStream(File.OpenRead(Reference.Data("HumanEval.jsonl.gz")), CompressionMode.Decompress);
        using var reader = new StreamReader(file);
        var rows = new List<JsonElement>();
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line) rows.Add(JsonDocument.Parse(line).RootElement);
        var reward = new CodeReward();
        async Task<double?> ScoreAsync(JsonElement row, string solution) => (await reward.ScoreAsync(
            Box.Prompt(new { test = row.GetProperty("test").GetString(), entry_point = row.GetProperty("entry_point").GetString() }, row.GetProperty("prompt").GetString()!),
            Box.Python(solution), TestContext.Current.CancellationToken)).Value;
        double?[] right = await Task.WhenAll(rows.Select(row => ScoreAsync(row, row.GetProperty("prompt").GetString() + row.GetProperty("canonical_solution").GetString())));
        Assert.Empty(rows.Zip(right).Where(pair => pair.Second != 1).Select(pair => pair.First.GetProperty("task_id").GetString()));
        double?[] empty = await Task.WhenAll(rows.Take(40).Select(row => ScoreAsync(row, row.GetProperty("prompt").GetString() + "    return None\n")));
        Assert.All(empty, score => Assert.Equal(0, score));
    }

    // Slow: some hundred programs in two boxes each.
    [Fact, Trait("Category", "Slow")]
    public async Task Every_canonical_solution_of_MBPP_passes()
    {
        await Box.RequireAsync();
        JsonElement[] rows = [.. File.ReadLines(Reference.Data("mbpp_sanitized.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];
        var reward = new CodeReward();
        string[] failed = [.. (await Task.WhenAll(rows.Select(async row => (Id: row.GetProperty("task_id").ToString(), Score: await reward.ScoreAsync(
            Box.Prompt(new { test_imports = row.GetProperty("test_imports"), test_list = row.GetProperty("test_list") }), Box.Python(row.GetProperty("code").GetString()!),
            TestContext.Current.CancellationToken))))).Where(result => result.Score.Value != 1).Select(result => $"{result.Id}: {result.Score.Reason}")];
        Assert.Empty(failed);
    }
}
