namespace DeepSeekR1.Rewards.Tests.Code;

/// <summary>Programs that want to be paid without solving anything.</summary>
[Collection(nameof(Box)), Trait("Category", "Sandbox")]
public class CheatingTests
{
    private static readonly object _tests = new { test_list = new[] { "assert f(1) == 41", "assert f(2) == 43", "assert f(7) == 97" } };

    [Theory]
    [InlineData("print a verdict", "print('OK'); print('{\"test\": 0, \"reason\": null}')")]
    [InlineData("exit 0 early", "import sys; sys.exit(0)")]
    [InlineData("os._exit in import", "import os; os._exit(0)")]
    [InlineData("os._exit in the function", "def f(x):\n  import os; os._exit(0)")]
    [InlineData("raise SystemExit", "def f(x): raise SystemExit(0)")]
    [InlineData("raise AssertionError", "def f(x): raise AssertionError")]
    [InlineData("object equal to everything", "class E:\n  def __eq__(s, o): return True\n  def __ne__(s, o): return False\ndef f(x): return E()")]
    [InlineData("number equal to everything", "class E(int):\n  def __eq__(s, o): return True\n  __hash__ = int.__hash__\ndef f(x): return E()")]
    [InlineData("class equal to everything", "class M(type):\n  def __eq__(s, o): return True\nint = M('int', (), {})\ndef f(x): return int")]
    [InlineData("monkeypatched assert", "import builtins\nbuiltins.AssertionError = type('A', (Exception,), {})\nbuiltins.all = lambda *a: True\ndef f(x): return 0")]
    [InlineData("read the stack", "import sys\ndef f(x):\n  g = sys._getframe(1)\n  return [v for v in g.f_locals.values() if isinstance(v, int)]")]
    [InlineData("read the tests from memory", "import gc\ndef f(x):\n  for o in gc.get_objects():\n    if isinstance(o, dict) and 'tests' in o: return eval(o['tests'][0].split('==')[1])\n  return 0")]
    [InlineData("write a verdict to every descriptor", "import os\nfor fd in range(3, 30):\n  try: os.write(fd, b'{\"ready\": true}\\n{\"test\": 0, \"reason\": null}\\n{\"test\": 1, \"reason\": null}\\n{\"test\": 2, \"reason\": null}\\n{\"done\": true}\\n')\n  except OSError: pass")]
    [InlineData("answer for another call", "import os\ndef f(x):\n  for fd in range(3, 30):\n    try: os.write(fd, b'{\"id\": 1, \"value\": [\"i\", \"0x1\"]}\\n' * 9)\n    except OSError: pass\n  return 1")]
    [InlineData("patched json", "import json\njson.dumps = lambda o, *a, **k: '{\"id\": 1, \"value\": [\"q\"]}'\ndef f(x): return 1")]
    [InlineData("patched messenger", "import sys\nsys.modules['__main__'].encode = lambda v: ['E', 'pass']\ndef f(x): return 1")]
    [InlineData("return a function", "def f(x): return f")]
    [InlineData("truthy object", "class T:\n  def __bool__(s): return True\n  def __eq__(s, o): return True\ndef f(x): return T()")]
    [InlineData("dictionary equal to everything", "class D(dict):\n  def __eq__(s, o): return True\ndef f(x): return D()")]
    [InlineData("generator for a value", "def f(x):\n  yield 41")]
    [InlineData("kill every process and go on", "import os, signal\ndef f(x):\n  try: os.kill(-1, signal.SIGKILL)\n  except OSError: pass\n  return 0")]
    [InlineData("stop the grader", "import os, signal\ndef f(x):\n  for pid in (1, os.getppid(), os.getpid()):\n    try: os.kill(pid, signal.SIGSTOP)\n    except OSError: pass")]
    [InlineData("become another program", "import os\ndef f(x): os.execv('/usr/bin/python3', ['python3', '-c', 'print(41)'])")]
    [InlineData("peek in /proc", "import re\ndef f(x):\n  text = ''\n  for pid in (1, 2, 3, 'self'):\n    for what in ('cmdline', 'environ'):\n      try: text += open(f'/proc/{pid}/{what}', errors='replace').read()\n      except OSError: pass\n  found = re.search(r'assert f\\(1\\) == (\\d+)', text)\n  return int(found[1]) if found else 0")]
    [InlineData("peek into the first process's memory", "import re\ndef f(x):\n  try:\n    for line in open('/proc/1/maps'):\n      a, b = (int(v, 16) for v in line.split()[0].split('-'))\n      memory = open('/proc/1/mem', 'rb', buffering=0); memory.seek(a)\n      found = re.search(rb'f\\(1\\) == (\\d+)', memory.read(min(b - a, 1 << 22)) or b'')\n      if found: return int(found[1])\n  except (OSError, ValueError): pass\n  return 0")]
    [InlineData("no number", "def f(x): return float('nan')")]
    [InlineData("trace the caller", "import sys\nsys.settrace(lambda frame, event, arg: frame.f_locals.update(value=41))\ndef f(x): return 0")]
    [InlineData("look for the tests on disk", "import os\ndef f(x):\n  for folder in ('/tmp', '/src', '/app', '/dev/shm', '/'):\n    for name in (os.listdir(folder) if os.path.isdir(folder) else []):\n      try: text = open(os.path.join(folder, name)).read()\n      except (OSError, UnicodeDecodeError): continue\n      if 'f(1) == 41' in text: return 41\n  return 0")]
    [InlineData("exit from a thread", "import threading, os\nthreading.Timer(0.1, lambda: os._exit(0)).start()\ndef f(x):\n  import time; time.sleep(1); return 0")]
    public async Task It_does_not_pay(string cheat, string program)
    {
        var score = await Box.ScoreAsync(program, _tests, scoring: CodeScoring.Share);
        Assert.True(score.Value == 0, $"{cheat}: {score}");
    }

    /// <summary>An exception that ends a loop of the tests would leave nothing to compare.</summary>
    [Theory]
    [InlineData("assert all(a == b for a, b in zip(map(f, [1, 2]), [41, 43]))")]
    [InlineData("assert set(map(f, [1, 2])) <= {41, 43}")]
    [InlineData("assert all(x in (41, 43) for x in map(f, [1, 2]))")]
    public async Task Ending_a_loop_of_the_tests_does_not_pay(string test) =>
        Assert.Equal(0, (await Box.ScoreAsync("def f(x): raise StopIteration", new { test_list = new[] { test } })).Value);

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
