namespace DeepSeekR1.Rollouts;

/// <summary>One drawn token.</summary>
/// <param name="Id">The token.</param>
/// <param name="LogProb">
/// Its log-probability under the policy at the sampling temperature, before repetition penalty and truncation; 0 when greedy, where the
/// choice is certain.
/// </param>
internal readonly record struct SampledToken(int Id, float LogProb);
