using System.Runtime.InteropServices;

namespace DeepSeekR1.Rewards;

/// <summary>
/// The system calls that a box refuses, as a program for the kernel's packet filter (seccomp(2)): what a program that computes an answer never needs
/// and what kernels have been broken with (namespaces, mounts, sockets, tracing, keys, modules, rings), and memory that no limit counts. They fail
/// with an error; a foreign architecture ends the process.
/// </summary>
internal static class SeccompFilter
{
    private const uint Allow = 0x7FFF0000, KillProcess = 0x80000000, Refuse = 0x00050000;
    private const uint NotPermitted = 1, NoMemory = 12, NotImplemented = 38;
    private const uint ForeignNumbers = 0x40000000, Clone3 = 435;
    private const uint CloneThread = 0x00010000, CloneNamespaces = 0x7E020000, SharedAnonymous = 0x21;

    /// <summary>Refused everywhere. Calls that an architecture does not have are -1; from 424 on all have the same numbers.</summary>
    private static readonly (string Name, int X64, int Arm64)[] _refused =
    [
        ("acct", 163, 89), ("add_key", 248, 217), ("adjtimex", 159, 171), ("bpf", 321, 280), ("chroot", 161, 51), ("clock_adjtime", 305, 266),
        ("clock_settime", 227, 112), ("delete_module", 176, 106), ("fanotify_init", 300, 262), ("finit_module", 313, 273), ("fsconfig", 431, 431),
        ("fsmount", 432, 432), ("fsopen", 430, 430), ("fspick", 433, 433), ("init_module", 175, 105), ("io_setup", 206, 0), ("io_uring_enter", 426, 426),
        ("io_uring_register", 427, 427), ("io_uring_setup", 425, 425), ("ioperm", 173, -1), ("iopl", 172, -1), ("kcmp", 312, 272),
        ("kexec_file_load", 320, 294), ("kexec_load", 246, 104), ("keyctl", 250, 219), ("lookup_dcookie", 212, 18), ("memfd_create", 319, 279),
        ("memfd_secret", 447, 447), ("migrate_pages", 256, 238), ("modify_ldt", 154, -1), ("mount", 165, 40), ("mount_setattr", 442, 442),
        ("move_mount", 429, 429), ("move_pages", 279, 239), ("mq_open", 240, 180), ("msgget", 68, 186), ("name_to_handle_at", 303, 264),
        ("open_by_handle_at", 304, 265), ("open_tree", 428, 428), ("perf_event_open", 298, 241), ("personality", 135, 92), ("pidfd_getfd", 438, 438),
        ("pidfd_open", 434, 434), ("pivot_root", 155, 41), ("process_madvise", 440, 440), ("process_vm_readv", 310, 270), ("process_vm_writev", 311, 271),
        ("ptrace", 101, 117), ("quotactl", 179, 60), ("reboot", 169, 142), ("request_key", 249, 218), ("semget", 64, 190), ("setdomainname", 171, 162),
        ("sethostname", 170, 161), ("setns", 308, 268), ("settimeofday", 164, 170), ("shmget", 29, 194), ("socket", 41, 198), ("socketpair", 53, 199),
        ("swapoff", 168, 225), ("swapon", 167, 224), ("syslog", 103, 116), ("umount2", 166, 39), ("unshare", 272, 97), ("userfaultfd", 323, 282),
    ];

    /// <summary>The filter of this machine.</summary>
    /// <param name="mayStartProcesses">Leaves fork and its kin allowed.</param>
    /// <exception cref="SandboxException">Its architecture is neither x64 nor arm64.</exception>
    public static byte[] Program(bool mayStartProcesses) => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => Program(isX64: true, mayStartProcesses),
        Architecture.Arm64 => Program(isX64: false, mayStartProcesses),
        var other => throw new SandboxException($"the sandbox has no system call filter for {other}; x64 and arm64 are supported"),
    };

    private static byte[] Program(bool isX64, bool mayStartProcesses)
    {
        var filter = new PacketFilter();
        filter.LoadArchitecture();
        filter.UnlessEqual(isX64 ? 0xC000003E : 0xC00000B7, KillProcess);
        filter.LoadNumber();
        if (isX64) filter.IfAtLeast(ForeignNumbers, Refuse | NotPermitted);
        foreach (var (_, x64, arm64) in _refused)
            if ((isX64 ? x64 : arm64) is >= 0 and var number) filter.IfEqual((uint)number, Refuse | NotPermitted);
        // Its flags lie in memory, where a filter cannot look; the C library then falls back to clone.
        filter.IfEqual(Clone3, Refuse | NotImplemented);
        if (isX64 && !mayStartProcesses)
        {
            filter.IfEqual(57, Refuse | NotPermitted); // fork
            filter.IfEqual(58, Refuse | NotPermitted); // vfork
        }
        filter.Of(isX64 ? 56u : 220u, argument: 0, clone =>
        {
            clone.IfAnyBit(CloneNamespaces, Refuse | NotPermitted);
            if (!mayStartProcesses) clone.UnlessAnyBit(CloneThread, Refuse | NotPermitted);
        });
        // Shared pages without a file outlive every count of a process's own memory.
        filter.Of(isX64 ? 9u : 222u, argument: 3, mmap =>
        {
            mmap.Keep(SharedAnonymous);
            mmap.IfEqual(SharedAnonymous, Refuse | NoMemory);
        });
        filter.Return(Allow);
        return filter.ToArray();
    }
}
