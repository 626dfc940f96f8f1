using System.Runtime.InteropServices;

namespace DeepSeekR1.Training;

/// <summary>Decides which sequences run together. A pure function of the lengths, so that a repeated run repeats it.</summary>
internal static class MicroBatchPlan
{
    /// <summary>One sequence a row, of similar lengths together so that little is padding.</summary>
    /// <param name="sequences">Sequences with at least one scored token; others are left out.</param>
    /// <param name="tokenBudget">Most tokens of a micro-batch, padding included; a longer sequence is alone.</param>
    /// <returns>[micro-batch][row][document] indices of the sequences.</returns>
    public static List<List<int[]>> Padded(IReadOnlyList<IScoredSequence> sequences, int tokenBudget) =>
        Rows(ByLength(sequences).Select(item => (new[] { item.Index }, item.Length)), tokenBudget);

    /// <summary>Several sequences a row, by best-fit decreasing: each goes where it leaves the least room.</summary>
    /// <param name="sequences">Sequences with at least one scored token; others are left out.</param>
    /// <param name="rowLength">Most tokens of a row; a longer sequence has a row of its own.</param>
    /// <param name="tokenBudget">Most tokens of a micro-batch.</param>
    /// <returns>[micro-batch][row][document] indices of the sequences.</returns>
    public static List<List<int[]>> Packed(IReadOnlyList<IScoredSequence> sequences, int rowLength, int tokenBudget)
    {
        var rows = new List<(List<int> Documents, int Length)>();
        foreach (var (index, length) in ByLength(sequences))
        {
            int best = -1;
            for (int row = 0; row < rows.Count; row++)
                if (rows[row].Length + length <= rowLength && (best < 0 || rows[row].Length > rows[best].Length)) best = row;
            if (best < 0)
            {
                rows.Add(([index], length));
            }
            else
            {
                rows[best].Documents.Add(index);
                rows[best] = (rows[best].Documents, rows[best].Length + length);
            }
        }
        return Rows(rows.Select(row => (row.Documents.ToArray(), row.Length)), tokenBudget);
    }

    /// <summary>Families of sequences with one prompt, which counts once in each micro-batch that has some of them.</summary>
    /// <param name="sequences">Sequences with at least one scored token; others are left out.</param>
    /// <param name="tokenBudget">Most tokens of a micro-batch; a longer sequence is alone.</param>
    /// <returns>[micro-batch][family][member] indices of the sequences.</returns>
    public static List<List<int[]>> Shared(IReadOnlyList<IScoredSequence> sequences, int tokenBudget)
    {
        var batches = new List<(List<int[]> Families, int Length)>();
        var parts = ByLength(sequences).GroupBy(item => Prompt(sequences[item.Index])).SelectMany(family => Parts(family, family.Key.Length * sizeof(char) / sizeof(int), tokenBudget));
        foreach (var (members, length) in parts.OrderByDescending(part => part.Length).ThenBy(part => part.Members[0]))
        {
            int best = -1;
            for (int batch = 0; batch < batches.Count; batch++)
                if (batches[batch].Length + length <= tokenBudget && (best < 0 || batches[batch].Length > batches[best].Length)) best = batch;
            if (best < 0) batches.Add(([members], length));
            else
            {
                batches[best].Families.Add(members);
                batches[best] = (batches[best].Families, batches[best].Length + length);
            }
        }
        return [.. batches.Select(batch => batch.Families)];
    }

    /// <summary>The ids of a prompt as a key: a character for each half of an id.</summary>
    private static string Prompt(IScoredSequence sequence) => new(MemoryMarshal.Cast<int, char>(sequence.Ids.Span[..sequence.PromptLength]));

    /// <summary>A family cut so that each part keeps to the budget.</summary>
    private static IEnumerable<(int[] Members, int Length)> Parts(IEnumerable<(int Index, int Length)> family, int prompt, int tokenBudget)
    {
        var members = new List<int>();
        int total = prompt;
        foreach (var (index, length) in family)
        {
            if (members.Count > 0 && total + length - prompt > tokenBudget)
            {
                yield return ([.. members], total);
                members.Clear();
                total = prompt;
            }
            members.Add(index);
            total += length - prompt;
        }
        yield return ([.. members], total);
    }

    private static IEnumerable<(int Index, int Length)> ByLength(IReadOnlyList<IScoredSequence> sequences) => sequences
        .Select((sequence, index) => (Index: index, Length: sequence.ScoredPositions() is [.., var last] ? last : 0))
        .Where(item => item.Length > 0)
        .OrderByDescending(item => item.Length).ThenBy(item => item.Index);

    private static List<List<int[]>> Rows(IEnumerable<(int[] Documents, int Length)> rows, int tokenBudget)
    {
        var batches = new List<List<int[]>>();
        int longest = 0;
        foreach (var (documents, length) in rows)
        {
            bool fits = batches.Count > 0 && (batches[^1].Count + 1) * Math.Max(longest, length) <= tokenBudget;
            if (!fits) batches.Add([]);
            longest = fits ? Math.Max(longest, length) : length;
            batches[^1].Add(documents);
        }
        return batches;
    }
}
