namespace DeepSeekR1;

/// <summary>
/// A failure the user can mend: a missing file, a broken line, an impossible setting. The message names the thing and the remedy,
/// and is shown without a stack trace.
/// </summary>
public sealed class R1Exception : Exception
{
    /// <summary>A failure with its message: what is wrong, where, and what was expected or what to do.</summary>
    public R1Exception(string message) : base(message) { }

    /// <summary>The same with the cause beneath.</summary>
    public R1Exception(string message, Exception cause) : base(message, cause) { }
}
