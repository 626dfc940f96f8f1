using DeepSeekR1.Runtime;

namespace DeepSeekR1.Rollouts;

/// <summary>
/// How many sequences a policy's memory holds: as many as the limits say, and half of those that ran each time a GPU's memory runs out. On the
/// CPU the system's memory is shared with everything else and what it says comes late: there sampling ends with advice.
/// </summary>
/// <param name="canHalve">True on a GPU.</param>
internal sealed class RolloutMemory(bool canHalve)
{
    private int _mostSequences = int.MaxValue;

    /// <summary>How often it was halved.</summary>
    public int Halvings { get; private set; }

    /// <summary>The limits, as far as memory holds them.</summary>
    public RolloutLimits Within(RolloutLimits limits) => limits with { MaxSequences = Math.Min(limits.MaxSequences, _mostSequences) };

    /// <summary>Takes half as many sequences from now on.</summary>
    /// <param name="sequences">That were sampled together when memory ran out.</param>
    /// <param name="failure">What was thrown.</param>
    /// <exception cref="R1Exception">Fewer sequences do not help, or must not be taken; says what to lower.</exception>
    public void Halve(int sequences, Exception failure)
    {
        if (!canHalve || sequences < 2) throw Advice(sequences, failure);
        _mostSequences = sequences / 2;
        Halvings++;
        OutOfMemory.Collect();
    }

    /// <summary>What to lower.</summary>
    public static R1Exception Advice(int sequences, Exception failure) => new(
        (sequences > 1 ? $"Memory ran out while {sequences} sequences were sampled together. Lower limits.maxSequences, limits.maxCacheMebibytes or sampling.maxNewTokens"
            : "Memory ran out while one sequence was sampled. Lower sampling.maxNewTokens or shorten the prompt") + ". The last checkpoint of a run is sound; it goes on with --resume.", failure);
}
