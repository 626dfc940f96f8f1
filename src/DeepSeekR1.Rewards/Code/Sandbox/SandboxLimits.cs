namespace DeepSeekR1.Rewards;

/// <summary>What one run in the sandbox may use.</summary>
public sealed record SandboxLimits
{
    /// <summary>Wall-clock time.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Processor time, in seconds.</summary>
    public int ProcessorSeconds { get; init; } = 10;

    /// <summary>Address space, in mebibytes.</summary>
    public int MemoryMebibytes { get; init; } = 512;

    /// <summary>The private temporary folder, and each file, in mebibytes.</summary>
    public int DiskMebibytes { get; init; } = 16;

    /// <summary>What it may write to its output, in bytes; more ends it.</summary>
    public int OutputBytes { get; init; } = 8 << 20;

    /// <summary>Threads at a time.</summary>
    public int Tasks { get; init; } = 64;
}
