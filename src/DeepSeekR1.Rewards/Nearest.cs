using System.Text;

namespace DeepSeekR1.Rewards;

/// <summary>Helps whoever mistyped a name.</summary>
internal static class Nearest
{
    /// <summary>"; did you mean 'x'? Known: x, y".</summary>
    public static string Hint(string wrong, IEnumerable<string> known)
    {
        string[] names = [.. known.Order(StringComparer.Ordinal)];
        string? nearest = names.MinBy(name => Distance(wrong.ToLowerInvariant(), name.ToLowerInvariant()));
        bool isNear = nearest is not null && Distance(wrong.ToLowerInvariant(), nearest.ToLowerInvariant()) <= Math.Max(2, nearest.Length / 3);
        return (isNear ? $"; did you mean '{nearest}'?" : ".") + $" Known: {string.Join(", ", names)}";
    }

    /// <summary><c>ThinkAnswer</c> as <c>think-answer</c>.</summary>
    public static string Kebab(string name)
    {
        var kebab = new StringBuilder(name.Length + 4);
        foreach (char c in name)
        {
            if (char.IsUpper(c) && kebab.Length > 0) kebab.Append('-');
            kebab.Append(char.ToLowerInvariant(c));
        }
        return kebab.ToString();
    }

    /// <summary>Levenshtein's distance.</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[b.Length];
    }
}
