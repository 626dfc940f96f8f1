using DeepSeekR1.Runtime;

namespace DeepSeekR1.Rollouts;

/// <summary>
/// Where a generation's random draws live: token <c>position</c> of <c>sample</c> of a prompt is drawn with
/// <c>Random.Uniform(Step, prompt.Index, sample, position)</c>. Prompts that share an index within one step share their draws.
/// </summary>
/// <param name="Random">Seed and purpose.</param>
/// <param name="Step">Training step, or what else tells generations of one purpose apart.</param>
public readonly record struct RolloutAddress(AddressedRandom Random, int Step = 0);

/// <summary>How far a generation has come.</summary>
/// <param name="FinishedSequences">Completions that have ended.</param>
/// <param name="TotalSequences">Completions asked for.</param>
/// <param name="Tokens">Tokens drawn so far, over all sequences.</param>
public readonly record struct RolloutProgress(int FinishedSequences, int TotalSequences, long Tokens);
