using System.Text.Json;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Data;

/// <summary>Picks the rows that a <see cref="TakeConfig"/> names.</summary>
internal static class RowSelection
{
    // Epochs are steps 0, 1, 2, … of the same purpose; this order is none of them.
    private const int ShuffleStep = -1;

    /// <exception cref="R1Exception">The file has no rows, none is left, or the field to divide is no whole number.</exception>
    public static IReadOnlyList<DataRow> Take(IEnumerable<DataRow> rows, TakeConfig take, ulong seed, string path)
    {
        var remainders = take.Remainders.ToHashSet();
        if (remainders.Any(remainder => remainder < 0 || remainder >= take.Modulo))
            throw new R1Exception($"take.remainders of {path} must lie between 0 and {take.Modulo - 1}, since take.modulo is {take.Modulo}.");

        int total = 0;
        List<DataRow> taken = [];
        foreach (var row in rows)
        {
            // In the file's order no more rows are needed than the count.
            if (!take.Shuffle && taken.Count == take.Count) break;
            long number = take.Field is null ? total : Number(row, take.Field);
            if (remainders.Contains((int)((number % take.Modulo + take.Modulo) % take.Modulo))) taken.Add(row);
            total++;
        }
        if (total == 0) throw new R1Exception($"{path} has no rows. Expected one JSON object a line.");
        if (taken.Count == 0)
            throw new R1Exception($"{path}: none of its {total} rows is taken. Check take.modulo, take.remainders and take.field.");
        if (!take.Shuffle) return taken;
        int[] order = new AddressedRandom(seed, RandomPurpose.Order).Permutation(taken.Count, ShuffleStep);
        return [.. order.Take(take.Count ?? taken.Count).Select(i => taken[i])];
    }

    private static long Number(DataRow row, string field) =>
        row.Require(field) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out long number) ? number
        : throw row.Error($"field '{field}' is no whole number", "take.field must name one; leave it out to count rows.");
}
