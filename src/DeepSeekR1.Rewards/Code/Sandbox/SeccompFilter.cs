using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace DeepSeekR1.Rewards;

/// <summary>
/// The system calls that a program in the sandbox is refused, as a program for the kernel's packet filter (seccomp(2)): new processes,
/// namespaces, mounts, sockets, tracing, keys, kernel modules. They fail with EPERM; a foreign architecture ends the process.
/// </summary>
internal static class SeccompFilter
{
    private const ushort LoadWord = 0x20, JumpEqual = 0x15, JumpGreaterOrEqual = 0x35, JumpAnyBit = 0x45, Return = 0x06;
    private const uint Allow = 0x7FFF0000, KillProcess = 0x80000000, Refuse = 0x00050000, PermissionDenied = 1, NotImplemented = 38;
    private const uint NumberOffset = 0, ArchitectureOffset = 4, FirstArgumentOffset = 16;
    private const uint CloneThread = 0x00010000;

    /// <summary>Architecture, clone, clone3, the beginning of a foreign numbering, and what is refused.</summary>
    private sealed record Table(uint Architecture, uint CloneCall, uint Clone3Call, uint? Foreign, uint[] Forks, uint[] Refused);

    // fork vfork; ptrace process_vm_readv/writev unshare setns mount umount2 pivot_root chroot socket socketpair kexec_load init_module finit_module
    // delete_module bpf perf_event_open userfaultfd io_uring_setup/enter/register add_key request_key keyctl open_by_handle_at reboot swapon
    private static readonly Table _x64 = new(0xC000003E, 56, 435, 0x40000000, [57, 58],
        [101, 310, 311, 272, 308, 165, 166, 155, 161, 41, 53, 246, 175, 313, 176, 321, 298, 323, 425, 426, 427, 248, 249, 250, 304, 169, 167]);

    private static readonly Table _arm64 = new(0xC00000B7, 220, 435, null, [],
        [117, 270, 271, 97, 268, 40, 39, 41, 51, 198, 199, 104, 105, 273, 106, 280, 241, 282, 425, 426, 427, 217, 218, 219, 265, 142, 224]);

    /// <summary>The filter of this machine.</summary>
    /// <param name="mayStartProcesses">Leaves fork and its kin allowed.</param>
    /// <exception cref="SandboxException">Its architecture is neither x64 nor arm64.</exception>
    public static byte[] Program(bool mayStartProcesses) => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => Program(_x64, mayStartProcesses),
        Architecture.Arm64 => Program(_arm64, mayStartProcesses),
        var other => throw new SandboxException($"the sandbox has no system call filter for {other}; x64 and arm64 are supported"),
    };

    private static byte[] Program(Table table, bool mayStartProcesses)
    {
        var program = new List<(ushort Code, byte IfTrue, byte IfFalse, uint Value)>
        {
            (LoadWord, 0, 0, ArchitectureOffset),
            (JumpEqual, 1, 0, table.Architecture),
            (Return, 0, 0, KillProcess),
            (LoadWord, 0, 0, NumberOffset),
        };
        if (table.Foreign is { } foreign) RefuseWhere(JumpGreaterOrEqual, foreign, PermissionDenied);
        foreach (uint number in table.Refused) RefuseWhere(JumpEqual, number, PermissionDenied);
        if (!mayStartProcesses)
        {
            foreach (uint number in table.Forks) RefuseWhere(JumpEqual, number, PermissionDenied);
            // The C library falls back to clone, whose flags can be looked at: a thread may be made, a process may not.
            RefuseWhere(JumpEqual, table.Clone3Call, NotImplemented);
            program.Add((JumpEqual, 1, 0, table.CloneCall));
            program.Add((Return, 0, 0, Allow));
            program.Add((LoadWord, 0, 0, FirstArgumentOffset));
            program.Add((JumpAnyBit, 1, 0, CloneThread));
            program.Add((Return, 0, 0, Refuse | PermissionDenied));
        }
        program.Add((Return, 0, 0, Allow));

        byte[] bytes = new byte[program.Count * 8];
        for (int i = 0; i < program.Count; i++)
        {
            var place = bytes.AsSpan(i * 8);
            BinaryPrimitives.WriteUInt16LittleEndian(place, program[i].Code);
            (place[2], place[3]) = (program[i].IfTrue, program[i].IfFalse);
            BinaryPrimitives.WriteUInt32LittleEndian(place[4..], program[i].Value);
        }
        return bytes;

        void RefuseWhere(ushort jump, uint value, uint error)
        {
            program.Add((jump, 0, 1, value));
            program.Add((Return, 0, 0, Refuse | error));
        }
    }
}
