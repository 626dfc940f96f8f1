namespace DeepSeekR1.Rewards;

/// <summary>What is started in a box.</summary>
/// <param name="Command">The program inside the box and its arguments.</param>
internal sealed record BoxedProgram(IReadOnlyList<string> Command)
{
    /// <summary>Files that it finds, read-only, by their path in the box.</summary>
    public IReadOnlyDictionary<string, byte[]> Files { get; init; } = new Dictionary<string, byte[]>();

    /// <summary>Folders of this machine that it may read besides /usr.</summary>
    public IReadOnlyList<string> Folders { get; init; } = [];

    /// <summary>Environment variables.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>True for a trusted tool, such as a compiler: it may start processes.</summary>
    public bool MayStartProcesses { get; init; }

    /// <summary>True for a runtime that reserves more addresses than it uses: then written memory is limited, not address space.</summary>
    public bool ReservesMemory { get; init; }
}
