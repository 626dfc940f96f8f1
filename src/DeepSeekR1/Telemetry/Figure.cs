namespace DeepSeekR1.Telemetry;

/// <summary>One measured number, as <c>r1 eval</c> and <c>r1 score</c> print it.</summary>
/// <param name="Name">What it is: <c>pass@1</c>.</param>
/// <param name="Value">The number; a share lies between 0 and 1.</param>
/// <param name="StandardError">Its standard error in the same unit; null where none can be said.</param>
/// <param name="IsShare">True: shown in percent.</param>
public sealed record Figure(string Name, double Value, double? StandardError = null, bool IsShare = true);
