namespace DeepSeekR1.Rewards.Tests.Code;

/// <summary>Ways around the walls that are easy to forget: helpers that tests share with the program, memory that no limit counts, words that break the messenger.</summary>
[Collection(nameof(Box)), Trait("Category", "Sandbox")]
public class LoopholeTests
{
    private const string Helpers = "def twice(x):\n    return 2 * x\n\n\ndef half(x):\n    \"\"\" The inverse of twice. \"\"\"\n";

    private static readonly object _roundTrip = new { test = "def check(candidate):\n    assert candidate(twice(3)) == 3\n    assert twice(candidate(8)) == 8", entry_point = "half" };

    private static readonly object _one = new { test_list = new[] { "assert f() == 1" } };

    /// <summary>The prompt of HumanEval/32, 38 and 50 defines functions that the tests use: theirs must be the prompt's own.</summary>
    [Theory]
    [InlineData("def half(x): return x // 2", 1)]
    [InlineData("def twice(x): return x\ndef half(x): return x", 0)]
    [InlineData("class A:\n  pass\ntwice = lambda x: x\nhalf = twice", 0)]
    public async Task Helpers_of_the_prompt_are_not_the_programs_to_change(string program, double expected)
    {
        await Box.RequireAsync();
        var score = await new CodeReward(limits: Box.Short).ScoreAsync(Box.Prompt(_roundTrip, Helpers), Box.Python(program), TestContext.Current.CancellationToken);
        Assert.Equal(expected, score.Value);
    }

    /// <summary>Each piece stays below the limit of one file or one mapping; together they would be 160 MiB, ten times what a box may hold.</summary>
    [Theory]
    [InlineData("shared memory, many files", "for i in range(40): open(f'/dev/shm/{i}', 'wb').write(b'x' * (1 << 22))")]
    [InlineData("devices, many files", "for i in range(40): open(f'/dev/{i}', 'wb').write(b'x' * (1 << 22))")]
    [InlineData("files in memory", "import os\nfor i in range(40): os.write(os.memfd_create(str(i)), b'x' * (1 << 22))")]
    [InlineData("System V shared memory", "import ctypes\nc = ctypes.CDLL(None)\nif any(c.shmget(i + 1, 1 << 22, 0o1600) < 0 for i in range(40)): raise OSError")]
    [InlineData("System V messages", "import ctypes\nc = ctypes.CDLL(None)\nif any(c.msgget(i + 1, 0o1600) < 0 for i in range(40)): raise OSError")]
    [InlineData("shared anonymous pages", "import mmap\nmmap.mmap(-1, 1 << 22)")]
    [InlineData("a thousand threads", "import threading, time\nthreading.stack_size(32768)\nfor _ in range(1000): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()")]
    public async Task Memory_that_address_space_does_not_count_is_refused(string attack, string program)
    {
        string indented = string.Join('\n', program.Split('\n').Select(line => "    " + line));
        var score = await Box.ScoreAsync($"def f():\n  try:\n{indented}\n  except BaseException as e: return 0\n  return 1", _one);
        Assert.True(score.Value == 0, $"{attack} was not refused");
    }

    /// <summary>A failure instead of a verdict would let the policy choose not to be judged, and in the end stop the run.</summary>
    [Theory]
    [InlineData("def f(): raise ValueError('\\ud800')")]
    [InlineData("globals()['\\ud800'] = 1\ndef f(): return 2")]
    [InlineData("raise ValueError('\\ud800')")]
    [InlineData("import os\ndef f():\n  for fd in range(1, 9):\n    try: os.write(fd, b'{\"id\":1,\"id\":1,\"value\":[\"i\",\"0x1\"]}\\n')\n    except OSError: pass")]
    [InlineData("import os\ndef f():\n  for fd in range(1, 9):\n    try: os.write(fd, b'{\"id\":1,\"value\":[{\"a\":1,\"a\":1}]}\\n')\n    except OSError: pass")]
    [InlineData("import os\ndef f():\n  for fd in range(1, 9):\n    try: os.write(fd, b'{\"id\":1,\"value\":[\"s\",\"zz\"]}\\n')\n    except OSError: pass")]
    [InlineData("import os\ndef f():\n  for fd in range(1, 9):\n    try: os.write(fd, b'{\"id\":1,\"raise\":[\"\\\\ud800\",\"\\\\ud800\"]}\\n')\n    except OSError: pass")]
    [InlineData("def f(): return [0] * 100_000_000")]
    [InlineData("def f():\n  x = []\n  for _ in range(100_000): x = [x]\n  return x")]
    [InlineData("import sys\nsys.stderr.write('bwrap: no permission')\nimport os; os._exit(1)")]
    public async Task A_program_cannot_have_itself_not_judged(string program) => Assert.Equal(0, (await Box.ScoreAsync(program, _one)).Value);

    /// <summary>What the program gives and the tests hand back to it is the program's affair, and no reason not to judge it.</summary>
    [Theory]
    [InlineData("def g(x):\n  yield 41\ndef f(x): return next(x)", 1)]
    [InlineData("class O: pass\ndef g(x): return O()\ndef f(x): return 41", 0)]
    [InlineData("def g(x): return lambda: 0\ndef f(x): return 41", 0)]
    public async Task Results_may_be_handed_back(string program, double expected) =>
        Assert.Equal(expected, (await Box.ScoreAsync(program, new { test_list = new[] { "assert f(g(1)) == 41" } })).Value);

    [Theory]
    [InlineData("def f(x): raise ValueError", 0)]
    [InlineData("def f(x): return x + 40", 1)]
    public async Task Preparations_that_the_program_breaks_are_its_failure(string program, double expected) =>
        Assert.Equal(expected, (await Box.ScoreAsync(program, new { test_imports = new[] { "y = f(1)" }, test_list = new[] { "assert y == 41 and f(2) == 42" } })).Value);

    [Theory]
    [InlineData("print(6)\nexit()", 1)]
    [InlineData("import sys\nsys.stderr.write('x' * 1_000_000)\nprint(6)", 1)]
    [InlineData("import sys\nsys.stderr.write('bwrap: no permission'); sys.exit(1)", 0)]
    public async Task Whole_runs_are_judged_as_Python_runs_them(string program, double expected) =>
        Assert.Equal(expected, (await Box.ScoreAsync(program, new { inputs = new[] { "" }, outputs = new[] { "6" } })).Value);

    [Fact]
    public async Task A_long_program_is_run_like_any_other() =>
        Assert.Equal(1, (await Box.ScoreAsync($"x = '{new string('a', 300_000)}'\nprint(len(x))", new { inputs = new[] { "" }, outputs = new[] { "300000" } })).Value);

    [Theory]
    [InlineData("def f(n): return map(str, range(n))")]
    [InlineData("def f(n):\n  for i in range(n): yield str(i)")]
    [InlineData("def f(n): return {str(i): 0 for i in range(n)}.keys()")]
    public async Task Iterators_are_read_by_the_tests(string program) =>
        Assert.Equal(1, (await Box.ScoreAsync(program, new { test_list = new[] { "assert list(f(3)) == ['0', '1', '2']" } })).Value);

    [Fact]
    public async Task No_tests_are_no_verdict()
    {
        Assert.Null((await Box.ScoreAsync("def f(): return 1", new { test_list = Array.Empty<string>() })).Value);
        Assert.Null((await Box.ScoreAsync("print(1)", new { inputs = Array.Empty<string>(), outputs = Array.Empty<string>() })).Value);
    }

    [Fact]
    public async Task Tests_that_never_call_the_program_are_a_failure_and_not_a_verdict()
    {
        await Box.RequireAsync();
        await Assert.ThrowsAsync<SandboxException>(() => Box.ScoreAsync("def f(): return 1", new { test_list = new[] { "assert True" } }));
    }

    [Fact]
    public async Task A_missing_interpreter_is_a_failure_and_not_a_verdict()
    {
        await Box.RequireAsync();
        var reward = new CodeReward(python: "/usr/bin/no-such-python");
        foreach (object tests in new[] { _one, new { inputs = new[] { "" }, outputs = new[] { "6" } } })
        {
            var failure = await Assert.ThrowsAsync<SandboxException>(async () => await reward.ScoreAsync(Box.Prompt(tests), Box.Python("print(6)"), TestContext.Current.CancellationToken));
            Assert.Contains("/usr/bin/no-such-python", failure.Message, StringComparison.Ordinal);
        }
    }
}
