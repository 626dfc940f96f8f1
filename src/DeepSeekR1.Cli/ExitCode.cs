namespace DeepSeekR1.Cli;

/// <summary>What the process tells its caller.</summary>
internal static class ExitCode
{
    public const int Success = 0, Failure = 1, Usage = 2;

    /// <summary>128 plus the signal's number, as shells do: 130 for Ctrl+C (SIGINT), 143 for SIGTERM.</summary>
    public const int Interrupted = 130, Terminated = 143;
}
