namespace DeepSeekR1.Rewards;

/// <summary>Says whether two answers mean the same. Stateless, safe to call from many threads, bounded in time on any input.</summary>
public interface IAnswerEquivalence
{
    /// <summary>
    /// True: the same; false: different; null: cannot be judged, so the reward abstains. True only when it is certain.
    /// </summary>
    /// <param name="gold">The reference answer, trusted.</param>
    /// <param name="answer">The extracted answer, untrusted.</param>
    bool? AreEquivalent(string gold, string answer);
}
