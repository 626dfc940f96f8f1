using DeepSeekR1.Rewards;

namespace DeepSeekR1.Configuration;

/// <summary>Rewards as configs name them: <c>accuracy</c>, <c>format:weight=0.5</c>.</summary>
internal static class RewardSpecifications
{
    /// <summary>What is wrong with the text, as a config problem says it; null when nothing is.</summary>
    public static string? ProblemOf(params IEnumerable<string> specifications)
    {
        try
        {
            RewardRegistry.Default.Parse(specifications);
            return null;
        }
        catch (Exception problem) when (problem is ArgumentException or FormatException)
        {
            return $"names no reward: {problem.Message}";
        }
    }
}
