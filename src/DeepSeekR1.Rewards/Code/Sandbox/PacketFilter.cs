using System.Buffers.Binary;

namespace DeepSeekR1.Rewards;

/// <summary>
/// Writes a program of the kernel's classic packet filter over <c>struct seccomp_data</c> (seccomp(2)): eight bytes an instruction, operation, jump if
/// true, jump if false, constant. Every condition is followed by a return, over which the other branch jumps.
/// </summary>
internal sealed class PacketFilter
{
    private const ushort LoadWord = 0x20, And = 0x54, JumpIfEqual = 0x15, JumpIfAtLeast = 0x35, JumpIfAnyBit = 0x45, ReturnValue = 0x06;
    private const uint NumberAt = 0, ArchitectureAt = 4, ArgumentsAt = 16, Allow = 0x7FFF0000;

    private readonly List<(ushort Operation, byte IfTrue, byte IfFalse, uint Constant)> _instructions = [];

    public void LoadNumber() => _instructions.Add((LoadWord, 0, 0, NumberAt));

    public void LoadArchitecture() => _instructions.Add((LoadWord, 0, 0, ArchitectureAt));

    public void Keep(uint bits) => _instructions.Add((And, 0, 0, bits));

    public void Return(uint value) => _instructions.Add((ReturnValue, 0, 0, value));

    public void IfEqual(uint constant, uint value) => Branch(JumpIfEqual, 0, 1, constant, value);

    public void UnlessEqual(uint constant, uint value) => Branch(JumpIfEqual, 1, 0, constant, value);

    public void IfAtLeast(uint constant, uint value) => Branch(JumpIfAtLeast, 0, 1, constant, value);

    public void IfAnyBit(uint bits, uint value) => Branch(JumpIfAnyBit, 0, 1, bits, value);

    public void UnlessAnyBit(uint bits, uint value) => Branch(JumpIfAnyBit, 1, 0, bits, value);

    /// <summary>Rules on one argument (its low half; both architectures are little-endian) of one call; what they let pass is allowed.</summary>
    public void Of(uint number, uint argument, Action<PacketFilter> rules)
    {
        var inner = new PacketFilter();
        inner._instructions.Add((LoadWord, 0, 0, ArgumentsAt + (8 * argument)));
        rules(inner);
        inner.Return(Allow);
        _instructions.Add((JumpIfEqual, 0, (byte)inner._instructions.Count, number));
        _instructions.AddRange(inner._instructions);
    }

    public byte[] ToArray()
    {
        byte[] bytes = new byte[8 * _instructions.Count];
        for (int i = 0; i < _instructions.Count; i++)
        {
            var place = bytes.AsSpan(8 * i, 8);
            BinaryPrimitives.WriteUInt16LittleEndian(place, _instructions[i].Operation);
            (place[2], place[3]) = (_instructions[i].IfTrue, _instructions[i].IfFalse);
            BinaryPrimitives.WriteUInt32LittleEndian(place[4..], _instructions[i].Constant);
        }
        return bytes;
    }

    private void Branch(ushort operation, byte ifTrue, byte ifFalse, uint constant, uint value)
    {
        _instructions.Add((operation, ifTrue, ifFalse, constant));
        Return(value);
    }
}
