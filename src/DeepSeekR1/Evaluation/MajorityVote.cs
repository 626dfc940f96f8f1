namespace DeepSeekR1.Evaluation;

/// <summary>Consensus of several answers (cons@k, "self-consistency": Wang et al. 2022).</summary>
public static class MajorityVote
{
    /// <summary>The most frequent answer; absent answers (null) do not vote; among equals the one that appears first wins.</summary>
    /// <returns>The winner, or null when nobody voted.</returns>
    public static string? Winner(IEnumerable<string?> answers)
    {
        var votes = new Dictionary<string, int>();
        var inOrder = new List<string>();
        foreach (string? answer in answers)
        {
            if (answer is null) continue;
            if (!votes.TryGetValue(answer, out int count)) inOrder.Add(answer);
            votes[answer] = count + 1;
        }
        return inOrder.MaxBy(answer => votes[answer]);
    }
}
