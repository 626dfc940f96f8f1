using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace DeepSeekR1.Rewards.Tests.Code;

/// <summary>Programs that want out, or want to break things. Each says what it got; the box must have refused it.</summary>
[Collection(nameof(Box)), Trait("Category", "Sandbox")]
public sealed class AttackTests : IDisposable
{

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-secret-");

    /// <summary>Each tries something and calls it done; where it is refused it says so.</summary>
    [Theory]
    [InlineData("fork", "import os\nif os.fork() == 0: os._exit(0)")]
    [InlineData("fork bomb", "import os\nwhile True: os.fork()")]
    [InlineData("start a program", "import subprocess; subprocess.run(['/bin/true'])")]
    [InlineData("system", "import os\nif os.system('true') != 0: raise OSError('refused')")]
    [InlineData("network", "import socket; socket.create_connection(('1.1.1.1', 53), 1)")]
    [InlineData("unix socket", "import socket; socket.socket(socket.AF_UNIX)")]
    [InlineData("write to the system", "open('/usr/lib/evil', 'w').write('x')")]
    [InlineData("write to the root", "open('/evil', 'w').write('x')")]
    [InlineData("read the password file", "open('/etc/shadow').read()")]
    [InlineData("read a home", "import os; os.listdir('/root')")]
    [InlineData("read the environment of the parent", "open('/proc/1/environ').read().index('USER')")]
    [InlineData("signal the parent", "import os, signal\nos.kill(os.getppid(), signal.SIGKILL) if os.getppid() > 1 else os.kill(-1, 0)\nraise OSError('nobody else is here')")]
    [InlineData("symlink out", "import os; os.symlink('/etc/hostname', '/tmp/out'); open('/tmp/out').read()")]
    [InlineData("mount", "import ctypes\nif ctypes.CDLL(None, use_errno=True).mount(b'none', b'/tmp', b'tmpfs', 0, None) != 0: raise OSError(ctypes.get_errno(), 'mount')")]
    [InlineData("new user namespace", "import ctypes\nif ctypes.CDLL(None, use_errno=True).unshare(0x10000000) != 0: raise OSError(ctypes.get_errno(), 'unshare')")]
    [InlineData("trace", "import ctypes\nif ctypes.CDLL(None, use_errno=True).ptrace(0, 0, 0, 0) != 0: raise OSError(ctypes.get_errno(), 'ptrace')")]
    [InlineData("become root", "import os; os.setuid(0); open('/usr/evil', 'w')")]
    [InlineData("fill the disk", "f = open('/tmp/big', 'wb')\nfor _ in range(200): f.write(b'x' * (1 << 20))\nf.flush()")]
    [InlineData("fill the disk with many files", "for i in range(200): open(f'/tmp/{i}', 'wb').write(b'x' * (1 << 20))")]
    [InlineData("memory bomb", "x = []\nwhile True: x.append(bytearray(1 << 26))")]
    [InlineData("shared memory bomb", "for i in range(200): open(f'/dev/shm/{i}', 'wb').write(b'x' * (1 << 26))")]
    public async Task It_is_refused(string attack, string program)
    {
        string indented = string.Join('\n', program.Split('\n').Select(line => "    " + line));
        string wrapped = $"def f():\n  try:\n{indented}\n  except BaseException as e: return 'refused'\n  return 'done'";
        var score = await Box.ScoreAsync(wrapped, new { test_list = new[] { "assert f() == 'done'" } });
        Assert.True(score.Value == 0, $"{attack} was not refused");
    }

    [Fact]
    public async Task A_file_of_this_user_cannot_be_seen()
    {
        string secret = Path.Combine(_folder.FullName, "secret");
        await File.WriteAllTextAsync(secret, "42", TestContext.Current.CancellationToken);
        Assert.Equal(0, (await Box.ScoreAsync($"def f(): return open('{secret}').read()", new { test_list = new[] { "assert f() == '42'" } })).Value);
    }

    [Fact]
    public async Task A_server_of_this_machine_is_not_reached()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        int port = ((IPEndPoint)server.LocalEndpoint).Port;
        await Box.ScoreAsync(string.Create(CultureInfo.InvariantCulture, $"import socket\nsocket.create_connection(('127.0.0.1', {port}))\ndef f(): return 1"), new { test_list = new[] { "assert f() == 1" } });
        Assert.False(server.Pending());
    }

    [Theory]
    [InlineData("while True: pass")]
    [InlineData("import time; time.sleep(60)")]
    [InlineData("def f():\n  while True: pass")]
    [InlineData("import threading\nfor _ in range(100000): threading.Thread(target=lambda: __import__('time').sleep(60)).start()")]
    [InlineData("import sys\ndef f():\n  return 9 ** 9 ** 9")]
    public async Task What_does_not_end_is_ended(string program)
    {
        var limits = new SandboxLimits { Time = TimeSpan.FromSeconds(1.5), ProcessorSeconds = 5 };
        var clock = Stopwatch.StartNew();
        Assert.Equal(0, (await Box.ScoreAsync(program, new { test_list = new[] { "assert f() == 1" } }, limits)).Value);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 10);
    }

    [Theory]
    [InlineData("while True: print('x' * 10000)")]
    [InlineData("import os\nwhile True: os.write(2, b'x' * 10000)")]
    public async Task Endless_output_is_cut(string program) =>
        Assert.Equal(0, (await Box.ScoreAsync(program, new { inputs = new[] { "" }, outputs = new[] { "x" } }, new SandboxLimits { Time = TimeSpan.FromSeconds(2) })).Value);

    [Fact]
    public async Task Nothing_is_left_behind_when_a_run_is_cancelled()
    {
        await Box.RequireAsync();
        using var source = new CancellationTokenSource();
        var pending = new CodeReward().ScoreAsync(Box.Prompt(new { test_list = new[] { "assert f()" } }), Box.Python("def f():\n  while True: pass"), source.Token).AsTask();
        while (Boxes() == 0) await Task.Yield();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
        // The kernel ends a namespace as soon as its first process is gone, but not in the same instant.
        var clock = Stopwatch.StartNew();
        while (Boxes() > 0 && clock.Elapsed < TimeSpan.FromSeconds(5)) await Task.Yield();
        Assert.Equal(0, Boxes());
    }

    /// <summary>The process that asked for the box is killed: it cannot clean up, so the kernel must.</summary>
    [Fact]
    public async Task Nothing_is_left_behind_when_the_asking_process_is_killed()
    {
        await Box.RequireAsync();
        using var asking = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["-explicit", "only", "-method", $"*.{nameof(Runs_until_it_is_killed)}"])
        {
            RedirectStandardOutput = true,
        })!;
        while (Boxes() == 0 && !asking.HasExited) await Task.Yield();
        Assert.False(asking.HasExited, "the other process ended before it was killed");
        asking.Kill();
        var clock = Stopwatch.StartNew();
        while (Boxes() > 0 && clock.Elapsed < TimeSpan.FromSeconds(5)) await Task.Yield();
        Assert.Equal(0, Boxes());
    }

    /// <summary>What the test above starts in another process.</summary>
    [Fact(Explicit = true)]
    public async Task Runs_until_it_is_killed()
    {
        await Box.ScoreAsync("def f():\n  while True: pass", new { test_list = new[] { "assert f()" } }, new SandboxLimits { Time = TimeSpan.FromSeconds(30), ProcessorSeconds = 30 });
    }

    [Fact]
    public async Task A_pool_lets_no_more_in_than_it_has_slots()
    {
        await Box.RequireAsync();
        var sandbox = new Sandbox(slots: 1);
        var limits = new SandboxLimits { Time = TimeSpan.FromSeconds(1) };
        var reward = new CodeReward(sandbox: sandbox, limits: limits);
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => reward.ScoreAsync(Box.Prompt(new { test_list = new[] { "assert f()" } }), Box.Python("import time\ntime.sleep(60)"), TestContext.Current.CancellationToken).AsTask()));
        Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(2.9), $"three runs of a second in one slot took {clock.Elapsed}");
    }

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Boxes that run; the tests of this collection come one after another, and nothing else uses any.</summary>
    private static int Boxes() => Process.GetProcessesByName("bwrap").Length;
}
