using System.Diagnostics;
using System.Globalization;

namespace DeepSeekR1.Rewards;

/// <summary>How strong the walls are.</summary>
public enum SandboxLevel
{
    /// <summary>Own namespaces (no network, no other processes), read-only system, private temporary folder, system call filter, limits. Needs bubblewrap.</summary>
    Full,
    /// <summary>Limits on time, memory, files and processor only: the program sees this machine and its network. For trusted programs.</summary>
    LimitsOnly,
}

/// <summary>
/// Boxes for programs that nobody has read (Linux). A box has its own user, process, network, mount, host-name and IPC namespaces, sees the system
/// read-only and nothing of the user's files, cannot start processes or open sockets, and is bounded in time, memory, disk and
/// output. Where such a box cannot be had it says what is missing; it never runs a program outside.
/// </summary>
public sealed class Sandbox
{
    private const string Shell = "/bin/sh";

    private static readonly Lock _gate = new();
    private static FileStream? _filter;

    private readonly SandboxLevel _level;
    private readonly SemaphoreSlim _slots;

    /// <summary>A sandbox with room for so many boxes at a time; further runs wait.</summary>
    /// <param name="slots">Boxes at the same time.</param>
    /// <param name="level">Anything weaker than <see cref="SandboxLevel.Full"/> must be asked for.</param>
    public Sandbox(int slots = 2, SandboxLevel level = SandboxLevel.Full)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slots);
        (_level, _slots) = (level, new SemaphoreSlim(slots));
    }

    /// <summary>Makes sure that boxes can be had.</summary>
    /// <exception cref="SandboxException">They cannot; says why and what to do.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken = default)
    {
        await using var probe = await StartAsync(["/bin/true"], new SandboxLimits(), cancellationToken).ConfigureAwait(false);
        if (await probe.ExitCodeAsync(cancellationToken).ConfigureAwait(false) != 0) throw Refused(await probe.ComplaintAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Waits for a free slot; dispose it to give it back.</summary>
    internal async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Slot(_slots);
    }

    /// <summary>Starts a program in a box of its own.</summary>
    /// <exception cref="SandboxException">There is no sandbox on this machine.</exception>
    internal async Task<BoxedProcess> StartAsync(IReadOnlyList<string> program, SandboxLimits limits, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!OperatingSystem.IsLinux()) throw new SandboxException("programs are run on Linux only: the sandbox is made of Linux namespaces");
        var info = new ProcessStartInfo(Shell) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        string limit = string.Create(CultureInfo.InvariantCulture,
            $"ulimit -c 0 -t {limits.ProcessorSeconds} -v {limits.MemoryMebibytes * 1024L} -f {limits.DiskMebibytes * 2048L}; ");
        // The shell sets limits, opens the filter and becomes the box.
        info.ArgumentList.Add("-c");
        info.ArgumentList.Add(_level == SandboxLevel.Full ? limit + $"exec \"$@\" 9<{FilterPath()}" : limit + "exec \"$@\"");
        info.ArgumentList.Add(Shell);
        foreach (string argument in _level == SandboxLevel.Full ? [.. Box(limits), .. program] : program) info.ArgumentList.Add(argument);
        info.Environment.Clear();
        info.Environment["PATH"] = "/usr/bin:/bin";
        var process = await ProcessStarter.StartAsync(info).ConfigureAwait(false);
        return new BoxedProcess(process, limits.OutputBytes);
    }

    /// <summary>What went wrong when a box did not come up.</summary>
    internal static SandboxException Refused(string complaint) => new(complaint switch
    {
        _ when complaint.Contains("not found", StringComparison.Ordinal) => "the sandbox needs bubblewrap (bwrap): install the package 'bubblewrap'",
        _ when complaint.Contains("bwrap", StringComparison.Ordinal) => $"bubblewrap could not make a box: {complaint} Allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1), or run where they are allowed",
        _ => $"the sandbox did not start: {complaint}",
    });

    private static string[] Box(SandboxLimits limits) =>
    [
        "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "box",
        "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
        "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache",
        "--proc", "/proc", "--dev", "/dev", "--size", (limits.DiskMebibytes * 1048576L).ToString(CultureInfo.InvariantCulture), "--tmpfs", "/tmp",
        "--remount-ro", "/", "--chdir", "/tmp", "--clearenv", "--setenv", "PATH", "/usr/bin", "--setenv", "HOME", "/tmp", "--setenv", "LANG", "C.UTF-8",
        "--setenv", "PYTHONHASHSEED", "0", "--seccomp", "9",
    ];

    /// <summary>The filter as an open file without a name, so that nothing is left behind.</summary>
    private static string FilterPath()
    {
        lock (_gate)
        {
            if (_filter is null)
            {
                string path = Path.GetTempFileName();
                File.WriteAllBytes(path, SeccompFilter.Program());
                _filter = File.OpenRead(path);
                File.Delete(path);
            }
            return $"/proc/{Environment.ProcessId}/fd/{_filter.SafeFileHandle.DangerousGetHandle()}";
        }
    }

    private sealed class Slot(SemaphoreSlim slots) : IDisposable
    {
        public void Dispose() => slots.Release();
    }
}
