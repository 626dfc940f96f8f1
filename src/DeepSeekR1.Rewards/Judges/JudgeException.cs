namespace DeepSeekR1.Rewards;

/// <summary>A judge could not be asked, or gave no verdict, in all attempts. The run goes on; the sample is not trained on.</summary>
public sealed class JudgeException(string message, Exception? innerException = null) : Exception(message, innerException);
