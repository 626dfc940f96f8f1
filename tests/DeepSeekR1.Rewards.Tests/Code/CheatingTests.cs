namespace DeepSeekR1.Rewards.Tests.Code;

/// <summary>Programs that want to be paid without solving anything.</summary>
[Collection(nameof(Box)), Trait("Category", "Sandbox")]
public class CheatingTests
{
    private static readonly object _tests = new { test_list = new[] { "assert f(1) == 41", "assert f(2) == 43", "assert f(7) == 97" } };

    [Theory]
    [InlineData("print('OK'); print('{\"test\": 0, \"reason\": null}')")]
    [InlineData("import sys; sys.exit(0)")]
    [InlineData("import os; os._exit(0)")]
    [InlineData("def f(x):\n  import os; os._exit(0)")]
    [InlineData("def f(x): raise SystemExit(0)")]
    [InlineData("def f(x): raise AssertionError")]
    [InlineData("class E:\n  def __eq__(s, o): return True\n  def __ne__(s, o): return False\ndef f(x): return E()")]
    [InlineData("class E(int):\n  def __eq__(s, o): return True\n  __hash__ = int.__hash__\ndef f(x): return E()")]
    [InlineData("class M(type):\n  def __eq__(s, o): return True\nint = M('int', (), {})\ndef f(x): return int")]
    [InlineData("import builtins\nbuiltins.AssertionError = type('A', (Exception,), {})\nbuiltins.all = lambda *a: True\ndef f(x): return 0")]
    [InlineData("import sys\ndef f(x):\n  g = sys._getframe(1)\n  return [v for v in g.f_locals.values() if isinstance(v, int)]")]
    [InlineData("import gc\ndef f(x):\n  for o in gc.get_objects():\n    if isinstance(o, dict) and 'tests' in o: return eval(o['tests'][0].split('==')[1])\n  return 0")]
    [InlineData("import os\nfor fd in range(3, 30):\n  try: os.write(fd, b'{\"ready\": true}\\n{\"test\": 0, \"reason\": null}\\n{\"test\": 1, \"reason\": null}\\n{\"test\": 2, \"reason\": null}\\n{\"done\": true}\\n')\n  except OSError: pass")]
    [InlineData("import os\ndef f(x):\n  for fd in range(3, 30):\n    try: os.write(fd, b'{\"id\": 1, \"value\": [\"i\", \"0x1\"]}\\n' * 9)\n    except OSError: pass\n  return 1")]
    [InlineData("import json\njson.dumps = lambda o, *a, **k: '{\"id\": 1, \"value\": [\"q\"]}'\ndef f(x): return 1")]
    [InlineData("import sys\nsys.modules['__main__'].encode = lambda v: ['E', 'pass']\ndef f(x): return 1")]
    [InlineData("def f(x): return f")]
    [InlineData("class T:\n  def __bool__(s): return True\n  def __eq__(s, o): return True\ndef f(x): return T()")]
    [InlineData("class D(dict):\n  def __eq__(s, o): return True\ndef f(x): return D()")]
    [InlineData("def f(x):\n  yield 41")]
    public async Task It_does_not_pay(string program)
    {
        var score = await Box.ScoreAsync(program, _tests, scoring: CodeScoring.Share);
        Assert.Equal(0, score.Value);
    }

    [Fact]
    public async Task What_was_answered_for_one_input_does_not_pay_for_another()
    {
        var score = await Box.ScoreAsync("def f(x): return 41", _tests, scoring: CodeScoring.Share);
        Assert.Equal(1 / 3.0, score.Value);
    }

    [Fact]
    public async Task Redefining_what_tests_compare_with_does_not_pay() =>
        Assert.Equal(0, (await Box.ScoreAsync("def f(x): return 0\ndef set(x): return 0\ndef abs(x): return 0\ndef sorted(x): return 0", new { test_list = new[] { "assert set(f(1)) == set([4])", "assert abs(f(1) - 41) < 1e-6" } }, scoring: CodeScoring.Share)).Value);

    [Fact]
    public async Task A_tested_function_may_have_the_name_of_a_builtin() =>
        Assert.Equal(1, (await Box.ScoreAsync("def sum(a, b): return a * b", new { test_list = new[] { "assert sum(10, 15) == 150" } })).Value);

    [Theory]
    [InlineData("print('6'); import os; os._exit(3)")]
    [InlineData("print('6' * 3_000_000)")]
    [InlineData("print('OK')")]
    [InlineData("import sys; sys.stdout.write('6\\n6\\n')")]
    public async Task Streams_are_not_fooled(string program) =>
        Assert.Equal(0, (await Box.ScoreAsync(program, new { inputs = new[] { "x\n" }, outputs = new[] { "6\n" } })).Value);
}
