namespace DeepSeekR1.Rewards;

/// <summary>There is no sandbox on this machine, or it does not work; names what to install or to allow.</summary>
public sealed class SandboxException(string message, Exception? innerException = null) : Exception(message, innerException);
