namespace DeepSeekR1.Configuration;

/// <summary>"Did you mean …?": the known name most like a misspelt one.</summary>
internal static class NearestName
{
    /// <summary>The end of an error message: the nearest name, or all of them when none is near.</summary>
    public static string Hint(string name, IReadOnlyCollection<string> known) => Find(name, known) is { } nearest ? $"did you mean '{nearest}'?" : All(known);

    /// <summary>The end of an error message about a choice: the nearest name and all of them, because "gpu" is near to "cpu" and means "cuda".</summary>
    public static string HintWithAll(string name, IReadOnlyCollection<string> known) =>
        Find(name, known) is { } nearest ? $"did you mean '{nearest}'? Known are {string.Join(", ", known)}." : All(known);

    /// <summary>The nearest name, or null when all differ by more than a third of their letters.</summary>
    public static string? Find(string name, IEnumerable<string> known)
    {
        string wanted = Simplify(name);
        var nearest = known.Select(candidate => (Candidate: candidate, Distance: EditDistance(wanted, Simplify(candidate)))).MinBy(pair => pair.Distance);
        int tolerated = Math.Max(1, Math.Max(wanted.Length, nearest.Candidate?.Length ?? 0) / 3);
        return nearest.Candidate is not null && nearest.Distance <= tolerated ? nearest.Candidate : null;
    }

    private static string All(IReadOnlyCollection<string> known) => known.Count == 0 ? "none is known here." : $"known are {string.Join(", ", known)}.";

    /// <summary>learning_rate, learning-rate and LearningRate are one name.</summary>
    private static string Simplify(string name) => name.Replace("_", "").Replace("-", "").ToLowerInvariant();

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours that turn one text into the other (optimal string alignment).</summary>
    private static int EditDistance(string from, string to)
    {
        var distance = new int[from.Length + 1, to.Length + 1];
        for (int i = 0; i <= from.Length; i++) distance[i, 0] = i;
        for (int j = 0; j <= to.Length; j++) distance[0, j] = j;
        for (int i = 1; i <= from.Length; i++)
        {
            for (int j = 1; j <= to.Length; j++)
            {
                int substitution = from[i - 1] == to[j - 1] ? 0 : 1;
                distance[i, j] = Math.Min(Math.Min(distance[i - 1, j], distance[i, j - 1]) + 1, distance[i - 1, j - 1] + substitution);
                bool isSwap = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
                if (isSwap) distance[i, j] = Math.Min(distance[i, j], distance[i - 2, j - 2] + 1);
            }
        }
        return distance[from.Length, to.Length];
    }
}
