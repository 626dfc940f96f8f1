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

    /// <summary>Inside the box: says that it stands, then becomes the program. Of the two names of the limit on tasks a shell knows one.</summary>
    private const string Start = "[ -x \"$2\" ] || { echo \"there is no $2 in the box\" >&2; exit 127; }; "
        + "ulimit -u \"$1\" 2>/dev/null || ulimit -p \"$1\"; shift; echo; exec \"$@\"";

    /// <summary>Root steps down before it builds a box: what got out of one would be root, and root's tasks are not limited.</summary>
    private static readonly string[] _stepDown = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] : [];

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
        await using var probe = await StartAsync(new BoxedProgram(["/bin/true"]), new SandboxLimits(), cancellationToken).ConfigureAwait(false);
        await probe.StartedAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits for a free slot; dispose it to give it back.</summary>
    internal async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Slot(_slots);
    }

    /// <summary>Starts a program in a box of its own.</summary>
    /// <exception cref="SandboxException">There is no sandbox on this machine.</exception>
    internal async Task<BoxedProcess> StartAsync(BoxedProgram program, SandboxLimits limits, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!OperatingSystem.IsLinux()) throw new SandboxException("programs are run on Linux only: the sandbox is made of Linux namespaces");
        var handed = new HandedFiles();
        var info = new ProcessStartInfo(Shell) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        string[] command = _level == SandboxLevel.Full ? [.. _stepDown, .. Box(program, limits, handed), .. Inside(program, limits)] : Outside(program, handed);
        // The shell sets limits, opens the handed files and becomes the box.
        info.ArgumentList.Add("-c");
        info.ArgumentList.Add($"{Limits(program, limits)}; exec \"$@\"{handed.Redirections}");
        info.ArgumentList.Add(Shell);
        foreach (string argument in command) info.ArgumentList.Add(argument);
        info.Environment.Clear();
        info.Environment["PATH"] = "/usr/bin:/bin";
        return new BoxedProcess(await ProcessStarter.StartAsync(info).ConfigureAwait(false), handed, limits.OutputBytes);
    }

    /// <summary>What went wrong when a box did not come up.</summary>
    internal static SandboxException Refused(string complaint) => new(complaint switch
    {
        _ when complaint.Contains("setpriv: not found", StringComparison.Ordinal) => "the sandbox of root needs setpriv: install the package 'util-linux', or run as another user",
        _ when complaint.Contains("not found", StringComparison.Ordinal) || complaint.Contains("execute bwrap", StringComparison.Ordinal) => "the sandbox needs bubblewrap (bwrap): install the package 'bubblewrap'",
        _ when complaint.Contains("bwrap", StringComparison.Ordinal) => $"bubblewrap could not make a box: {complaint} Allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1; on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0), or run where they are allowed",
        _ => $"the sandbox did not start: {complaint}",
    });

    private static string[] Inside(BoxedProgram program, SandboxLimits limits) => [Shell, "-c", Start, Shell, Number(limits.Tasks), .. program.Command];

    /// <summary>Without walls: files are read where they were handed; the user's other tasks would count, so tasks are not limited.</summary>
    private static string[] Outside(BoxedProgram program, HandedFiles handed)
    {
        var places = program.Files.ToDictionary(file => file.Key, file => $"/dev/fd/{handed.Add(file.Value)}");
        return [Shell, "-c", "echo; exec \"$@\"", Shell, "env", .. program.Environment.Select(variable => $"{variable.Key}={variable.Value}"),
            .. program.Command.Select(argument => places.GetValueOrDefault(argument, argument))];
    }

    private static string Limits(BoxedProgram program, SandboxLimits limits) => string.Create(CultureInfo.InvariantCulture,
        $"ulimit -c 0 -t {limits.ProcessorSeconds} -{(program.ReservesMemory ? 'd' : 'v')} {limits.MemoryMebibytes * 1024L} -f {limits.DiskMebibytes * 2048L}");

    private static IEnumerable<string> Box(BoxedProgram program, SandboxLimits limits, HandedFiles handed) =>
    [
        "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "box",
        "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
        "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache",
        "--proc", "/proc", "--dev", "/dev", .. PrivateFolder("/dev/shm", limits), "--remount-ro", "/dev", .. PrivateFolder("/tmp", limits),
        .. program.Folders.SelectMany(folder => new[] { "--ro-bind", folder, folder }),
        .. program.Files.SelectMany(file => new[] { "--ro-bind-data", Number(handed.Add(file.Value)), file.Key }),
        "--remount-ro", "/", "--chdir", "/tmp", "--clearenv", "--setenv", "PATH", "/usr/bin", "--setenv", "HOME", "/tmp", "--setenv", "LANG", "C.UTF-8",
        .. program.Environment.SelectMany(variable => new[] { "--setenv", variable.Key, variable.Value }),
        "--seccomp", Number(handed.Add(SeccompFilter.Program(program.MayStartProcesses))),
    ];

    /// <summary>A folder in memory; one without a size would take half of the machine's.</summary>
    private static string[] PrivateFolder(string path, SandboxLimits limits) =>
        ["--size", (limits.DiskMebibytes * 1048576L).ToString(CultureInfo.InvariantCulture), "--tmpfs", path];

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed class Slot(SemaphoreSlim slots) : IDisposable
    {
        public void Dispose() => slots.Release();
    }
}
